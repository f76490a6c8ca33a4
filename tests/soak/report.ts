/** The end of a soak, as both of them print it, and the options that they share. */
import { SetupError } from "../../tools/setup_error.ts";
import type { Verdict } from "./verdicts.ts";

/** Prints lines about the run, then a table of verdicts. Returns the exit code. */
export function printVerdicts(lines: string[], verdicts: readonly Verdict[]): number {
  for (const line of lines) console.log(line);
  console.log("\n| what must be | found |\n| --- | --- |");
  for (const { found, isTrue, what } of verdicts) console.log(`| ${isTrue ? "" : "**not so:** "}${what} | ${found} |`);
  const missed = verdicts.filter(({ isTrue }) => !isTrue).length;
  console.log(missed === 0 ? "\nall of it is so" : `\n${missed} of it ${missed === 1 ? "is" : "are"} not so`);
  return missed === 0 ? 0 : 1;
}

/** The number behind an option. */
export function numberOf(args: string[], option: string, otherwise: number): number {
  const at = args.indexOf(option);
  const number = at < 0 ? otherwise : Number(args[at + 1]);
  if (!(number > 0)) throw new SetupError(`${option}: expected a number above 0, as in ${option} ${otherwise}`);
  return number;
}
