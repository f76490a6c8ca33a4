/** The load generator and the upstream, as processes of their own that end with this one. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../tools/project.ts";
import type { Order, Report } from "./messages.ts";

export interface Load {
  /** Of the clients and of the upstream. */
  readonly pids: readonly number[];
  /** `127.0.0.1:port` */
  readonly upstream: string;
  /** Carries out an order; throws if a connection failed. */
  give(order: Order): Promise<{ done: number; resumed: number }>;
  stop(): void;
}

export async function startLoad(): Promise<Load> {
  const server = start("load_server.ts");
  const port = (await server.next()) as number;
  const client = start("load_client.ts");
  return {
    pids: [client, server].map(({ child }) => child.pid ?? 0),
    upstream: `127.0.0.1:${port}`,
    give: async (order) => {
      const answer = client.next();
      client.child.send(order);
      const report = (await answer) as Report;
      if ("error" in report) throw new Error(`the load generator: ${report.error} (${JSON.stringify(order)})`);
      return report;
    },
    stop: () => {
      for (const { child } of [client, server]) child.kill("SIGKILL");
    },
  };
}

/** `next`: the next message of the process; throws if it ends instead. */
function start(file: string): { child: ChildProcess; next: () => Promise<unknown> } {
  const child = fork(join(PROJECT_FOLDER, "bench", file), [], { execArgv: ["--import", "tsx"], cwd: PROJECT_FOLDER });
  process.once("exit", () => child.kill("SIGKILL"));
  let waiting: { resolve: (message: unknown) => void; reject: (error: Error) => void } | undefined;
  child.on("message", (message) => waiting?.resolve(message));
  child.on("exit", () => waiting?.reject(new Error(`${file} has ended early`)));
  const next = (): Promise<unknown> => new Promise((resolve, reject) => (waiting = { resolve, reject }));
  return { child, next };
}
