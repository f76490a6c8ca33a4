/** The load generator and the upstream, as processes of their own that end with this one. */
import type { Order, Report } from "./messages.ts";
import { ask, startPart } from "./parts.ts";

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
  const server = startPart("load_server.ts");
  const port = (await server.next()) as number;
  const client = startPart("load_client.ts");
  return {
    pids: [client, server].map(({ child }) => child.pid ?? 0),
    upstream: `127.0.0.1:${port}`,
    give: (order) => ask<Order, Exclude<Report, { error: string }>>(client, order),
    stop: () => {
      for (const { child } of [client, server]) child.kill("SIGKILL");
    },
  };
}
