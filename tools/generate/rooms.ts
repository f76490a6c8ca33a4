/**
 * Makes docs/build/rooms.md: the rooms of assembly/ from tools/checks/code/rooms.mjs, which the linter holds the code to.
 *
 *   npx tsx tools/generate/rooms.ts           writes the file
 *   npx tsx tools/generate/rooms.ts --check   exits 1 if the file is not what would be written
 */
import { ROOMS } from "../checks/code/rooms.mjs";
import { publish } from "./generated_file.ts";

const rooms = ROOMS.map(({ room, holds, imports }) => {
  const list =
    imports.length === 0 ? "Imports nothing." : `Imports ${imports.map((name) => `\`${name}\``).join(", ")}.`;
  return `### \`${room}\`\n\n${holds[0]?.toUpperCase()}${holds.slice(1)}.\n\n${list}\n`;
});

publish(
  "docs/build/rooms.md",
  `# The rooms of \`assembly/\`

Each folder is a room with one subject. The rooms stand from the bottom up: a room imports only rooms above it on this page, so no two rooms,
and no two files, import each other. ESLint fails on any other import, and a test fails on an allowance that nobody uses.

Made by tools/generate/rooms.ts from tools/checks/code/rooms.mjs.

${rooms.join("\n")}`,
);
