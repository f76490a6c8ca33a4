/** Measures two builds in processes of their own, one after the other, and gathers the series of each subject. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../tools/project.ts";
import type { StartOrder, StartReport } from "./measured_start.ts";
import type { Series } from "./verdict.ts";

/** One pair of values for each start. A subject that only one of the builds has is left out, and returned in `missing`. */
export async function measureStarts(
  order: StartOrder,
  starts: number,
): Promise<{ series: Series[]; missing: string[] }> {
  const reports: StartReport[] = [];
  for (let start = 0; start < starts; start++) reports.push(await measureStart(order));
  const subjects = new Set(reports.flatMap((report) => report.flatMap((ofOne) => Object.keys(ofOne))));
  const isCommon = (subject: string): boolean => reports.every((both) => both.every((ofOne) => subject in ofOne));
  const valuesOf = (subject: string, place: 0 | 1): number[] =>
    reports.map((report) => (report[place][subject] ?? NaN) / 1000);
  const series = [...subjects].filter(isCommon).map((subject) => ({
    subject: `${order.part}: ${subject.replaceAll("_", " ")}`,
    unit: "us",
    base: valuesOf(subject, 0),
    head: valuesOf(subject, 1),
  }));
  return { series, missing: [...subjects].filter((subject) => !isCommon(subject)) };
}

function measureStart(order: StartOrder): Promise<StartReport> {
  const file = join(PROJECT_FOLDER, "bench", "guard", "measured_start.ts");
  // One tier of V8's compiler, so that no start measures more of the other one.
  const child = fork(file, [], { execArgv: ["--no-liftoff", "--import", "tsx"], cwd: PROJECT_FOLDER });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  return new Promise((resolve, reject) => {
    const patience = setTimeout(end, MAX_START_SECONDS * 1000);
    let report: StartReport | undefined;
    child.on("message", (message) => (report = message as StartReport));
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(patience);
      process.off("exit", end);
      if (report !== undefined) resolve(report);
      else reject(new Error(`a start of ${order.part} has ended without figures: ${signal ?? code ?? ""}`));
    });
    child.send(order);
  });
}

const MAX_START_SECONDS = 120;
