/**
 * The proxies that `npm run bench:system` compares, with one worker each. Plain Envoy and source hashing are the shipped envoy.yaml without
 * the filter; observing is the same as plain Envoy with it.
 */
import { join } from "node:path";
import { balanceBySource, balanceByTurns } from "../../tools/demo/affinity/balancers.ts";
import { BUILD_FOLDER, MODULE_FILE } from "../../tools/project.ts";
import type { Settings } from "../../tools/proxies/envoy_config.ts";
import { startHaproxy } from "../../tools/proxies/haproxy.ts";
import { type PassthroughOptions, removeFilter, startPassthrough } from "../proxies.ts";
import type { ProxyName } from "./grid.ts";

export interface Proxy {
  readonly name: ProxyName;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startProxy(name: ProxyName, envoyBinary: string, upstreams: string[]): Promise<Proxy> {
  const envoy = async (observer: Settings, adapt: PassthroughOptions["adapt"]): Promise<Proxy> => {
    const folder = `system-${name}`;
    const options = { name: folder, workers: 1, envoyBinary, filter: MODULE_FILE, upstreams, observer, adapt };
    return { name, ...(await startPassthrough(options)) };
  };
  switch (name) {
    case "plain":
      return envoy({}, (configuration) => {
        balanceByTurns(configuration);
        removeFilter(configuration);
      });
    case "source_hash":
      return envoy({}, (configuration) => {
        balanceBySource(configuration);
        removeFilter(configuration);
      });
    case "hash":
    case "exact":
      return envoy({ steering: name }, () => undefined);
    case "off":
      return envoy({ enforcement: "observe" }, balanceByTurns);
    case "haproxy":
      return { name, ...(await startHaproxyWithTable(upstreams)) };
  }
}

function startHaproxyWithTable(servers: string[]): ReturnType<typeof startHaproxy> {
  const folder = join(BUILD_FOLDER, "bench", "system-haproxy");
  return startHaproxy({ folder, workers: 1, servers, hasStickTable: true, idleSeconds: 300 });
}
