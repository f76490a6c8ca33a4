/**
 * Makes assembly/admin/generated/openapi.generated.ts from docs/openapi.yaml.
 *
 *   npx tsx tools/generate/openapi.ts           writes the file
 *   npx tsx tools/generate/openapi.ts --check   exits 1 if the file is not what would be written
 */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { publish } from "./generated_file.ts";

const SOURCE = "docs/openapi.yaml";
const TARGET = "assembly/admin/generated/openapi.generated.ts";
/** Short enough for a line of source, whatever has to be escaped. */
const PIECE_LENGTH = 100;

const document = parse(readFileSync(new URL(`../../${SOURCE}`, import.meta.url), "utf8"));
const text = JSON.stringify(document);
// The writer copies the pieces as they are.
if (/[^\x20-\x7e]/.test(text)) throw new Error(`${SOURCE}: only printable ASCII, please`);

const pieces: string[] = [];
for (let at = 0; at < text.length; at += PIECE_LENGTH) pieces.push(text.slice(at, at + PIECE_LENGTH));

publish(
  TARGET,
  `/**
 * The OpenAPI document as JSON, in pieces.
 * Generated from ${SOURCE} by tools/generate/openapi.ts.
 */
// prettier-ignore
export const OPENAPI: StaticArray<string> = [
${pieces.map((piece) => `  ${JSON.stringify(piece)},`).join("\n")}
];
`,
);
