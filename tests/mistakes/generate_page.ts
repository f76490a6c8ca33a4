/**
 * Makes docs/use/mistakes.md from tests/mistakes/mistakes.ts, which the tests read, too.
 *
 *   npx tsx tests/mistakes/generate_page.ts           writes the file
 *   npx tsx tests/mistakes/generate_page.ts --check   exits 1 if the file is not what would be written
 */
import { MISTAKES, type Mistake } from "./mistakes.ts";
import { publish } from "../../tools/generate/generated_file.ts";

const groups = [...new Set(MISTAKES.map(({ group }) => group))];
const unseen = MISTAKES.filter((mistake) => mistake.unseen !== undefined);
const sections = groups.map((group) => {
  const entries = MISTAKES.filter((mistake) => mistake.group === group);
  return `## ${group}\n\n${entries.map(entryOf).join("\n")}`;
});

publish(
  "docs/use/mistakes.md",
  `# What you see when something is wrong

Each entry is a mistake, what you read of it, and what to do. A test makes each of these mistakes with a real Envoy and reads the
line (\`tests/e2e/operating/mistakes.test.ts\`); \`…\` stands for what varies. Lines come in Envoy's log, if nothing else is said: behind the
time, and for the filter's own behind \`wasm log FILTER tls_session_cache:\`. "Does not start" also means: as an update of a running
Envoy, it is rejected (\`listener_manager.lds.update_rejected\`), and what was there goes on.

\`tls-sessions doctor envoy.yaml\` ([client.md](client.md)) finds ${String(MISTAKES.length - unseen.length)} of the ${String(MISTAKES.length)} in the configuration, before Envoy starts, and prints the
lines to put there. An entry that it cannot see says why.

If Envoy says something, too, the filter's line comes first, and Envoy's own ("Unable to create Wasm plugin") behind it.

Made by tests/mistakes/generate_page.ts.

${sections.join("\n")}`,
);

/** A definition, not a row: the lines are long. */
function entryOf({ what, starts, see, remedy, when, unseen: reason }: Mistake): string {
  const effect = starts ? "Envoy starts." : "Envoy does not start.";
  const seen = `You see${when === undefined ? "" : `, ${when}`}: \`${see}\``;
  const doctor = reason === undefined ? "" : `<br>Not seen by \`doctor\`: ${reason}.`;
  return `- **${capital(what)}.** ${effect}<br>${seen}<br>Do: ${remedy}${doctor}\n`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
