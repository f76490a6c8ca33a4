/**
 * Makes assembly/admin/generated/cipher_suites.generated.ts from tools/data/tls-cipher-suites.csv.
 *
 * The data are the assigned values of the IANA registry "TLS Cipher Suites" (tls-parameters-4), without the reserved and the
 * unassigned ranges: value on the wire, name. After a change of the registry, edit the CSV and run this again.
 *
 *   npx tsx tools/generate/cipher_suites.ts           writes the file
 *   npx tsx tools/generate/cipher_suites.ts --check   exits 1 if the file is not what would be written
 */
import { readFileSync } from "node:fs";
import { publish } from "./generated_file.ts";

const SOURCE = "tools/data/tls-cipher-suites.csv";
const TARGET = "assembly/admin/generated/cipher_suites.generated.ts";

const suites = readFileSync(new URL(`../../${SOURCE}`, import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line, index) => {
    const [, value, name] = /^(0x[0-9A-F]{4}),(TLS_[A-Za-z0-9_]+)$/.exec(line) ?? [];
    if (value === undefined || name === undefined)
      throw new Error(`${SOURCE}, line ${index + 2}: expected 0xNNNN,TLS_NAME`);
    return { value: value.toLowerCase(), name };
  });

suites.reduce((before, suite) => {
  // The search for a name by its value is by halves.
  if (before.value >= suite.value) throw new Error(`${SOURCE}: ${suite.value} is out of order`);
  return suite;
});

publish(
  TARGET,
  `/**
 * The names of the TLS cipher suites in the IANA registry, by their value on the wire, ascending.
 * Generated from ${SOURCE} by tools/generate/cipher_suites.ts.
 */
// prettier-ignore
export const CIPHER_SUITE_VALUES: StaticArray<u16> = [
${suites.map((suite) => `  ${suite.value},`).join("\n")}
];

// prettier-ignore
export const CIPHER_SUITE_NAMES: StaticArray<string> = [
${suites.map((suite) => `  "${suite.name}",`).join("\n")}
];
`,
);
