/**
 * Parts of a benchmark that are processes of their own, and end with the process that started them. A part that serves orders carries
 * out one at a time, and reports.
 */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../tools/project.ts";

export interface Part {
  readonly file: string;
  readonly child: ChildProcess;
  /** The next message of the process; throws if it ends instead. */
  next(): Promise<unknown>;
}

/** `file`: its path below `bench/`. */
export function startPart(file: string): Part {
  const child = fork(join(PROJECT_FOLDER, "bench", file), [], { execArgv: ["--import", "tsx"], cwd: PROJECT_FOLDER });
  process.once("exit", () => child.kill("SIGKILL"));
  let waiting: { resolve: (message: unknown) => void; reject: (error: Error) => void } | undefined;
  child.on("message", (message) => waiting?.resolve(message));
  child.on("exit", () => waiting?.reject(new Error(`${file} has ended early`)));
  const next = (): Promise<unknown> => new Promise((resolve, reject) => (waiting = { resolve, reject }));
  return { file, child, next };
}

/** Has an order carried out; throws if it failed. */
export async function ask<Order extends object, Report extends object>(part: Part, order: Order): Promise<Report> {
  const answer = part.next();
  part.child.send(order);
  const report = (await answer) as Report | { error: string };
  if ("error" in report) throw new Error(`${part.file}: ${report.error} (${JSON.stringify(order)})`);
  return report;
}

/** In the part: carries out each order of the process that started it, and ends with that process. */
export function serveOrders<Order>(carryOut: (order: Order) => Promise<object>): void {
  process.on("message", (order: Order) => {
    void carryOut(order).then(
      (report) => process.send?.(report),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.on("disconnect", () => process.exit(0));
}
