/** Options of the benchmarks' command lines. Each throws a SetupError on a value that does not fit. */
import { SetupError } from "../tools/setup_error.ts";

/** Names with commas between them, in the order of `all`; `otherwise` without a text. */
export function chosen<T extends string>(option: string, text: string | undefined, all: T[], otherwise: T[]): T[] {
  if (text === undefined) return otherwise;
  const names = text.split(",");
  const wrong = names.find((name) => !all.some((known) => known === name));
  if (wrong !== undefined) throw new SetupError(`${option}: "${wrong}" is not one of ${all.join(", ")}`);
  return all.filter((name) => names.includes(name));
}

export function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new SetupError(`${option}: expected a number, as in 10`);
  return value;
}
