/**
 * CPU time per connection of two real Envoys that differ in their module only, side by side. Both start again for each round, as the
 * place of a process in memory makes some microseconds of difference.
 */
import { join } from "node:path";
import { parseDocument } from "yaml";
import { BUILD_FOLDER } from "../../tools/project.ts";
import { renderEnvoyConfig } from "../../tools/proxies/envoy_config.ts";
import { startEnvoy } from "../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { trapLines } from "../../tools/proxies/trap_log.ts";
import { measureHandshakes } from "../handshakes.ts";
import { startLoad } from "../load.ts";
import type { Handshake } from "../messages.ts";
import type { Proxy } from "../proxies.ts";
import { shuffled } from "../handshakes.ts";
import { median } from "../statistics.ts";
import type { Series } from "./verdict.ts";

/** `files`: the modules of base and head. One pair of values for each round. */
export async function measureEnvoys(
  envoyBinary: string,
  files: readonly [string, string],
  rounds: number,
): Promise<Series[]> {
  const load = await startLoad();
  const values = KINDS.map(() => [[], []] as [number[], number[]]);
  try {
    for (let round = 0; round < rounds; round++) {
      const proxies: Proxy[] = [];
      try {
        const order = shuffled([0, 1] as const);
        for (const place of order) proxies[place] = await start(envoyBinary, files[place], place, load.upstream);
        for (const [index, handshake] of KINDS.entries()) {
          const slices = { handshake, rounds: SLICES, connections: CONNECTIONS };
          const measured = await measureHandshakes(proxies, load, slices);
          for (const place of order) values[index]?.[place].push(median(measured.get(proxies[place] as Proxy) ?? []));
        }
      } finally {
        for (const proxy of proxies) await proxy?.stop();
      }
    }
  } finally {
    load.stop();
  }
  return KINDS.map((kind, index) => {
    const [base = [], head = []] = values[index] ?? [];
    return { subject: `Envoy: ${kind}, steering`, unit: "us of CPU", base, head };
  });
}

async function start(envoyBinary: string, modulePath: string, place: 0 | 1, upstream: string): Promise<Proxy> {
  const [tlsPort, envoyAdminPort] = (await freePorts(2)) as [number, number];
  const observer = { steering: "hash", enforcement: "revoked" };
  const configuration = parseDocument(
    renderEnvoyConfig({ tlsPort, envoyAdminPort, upstreams: [upstream], modulePath, observer }),
  );
  // The other listeners have no part in a connection.
  while (configuration.hasIn(["static_resources", "listeners", 1])) {
    configuration.deleteIn(["static_resources", "listeners", 1]);
  }
  const folder = join(BUILD_FOLDER, "bench", `guard-${place === 0 ? "base" : "head"}`);
  const envoy = await startEnvoy({
    binary: envoyBinary,
    configuration: configuration.toString(),
    envoyAdminPort,
    concurrency: 1,
    folder,
  });
  const stop = async (): Promise<void> => {
    await envoy.stop();
    const [trap] = trapLines(envoy.log());
    if (trap !== undefined) throw new Error(`${folder}: ${trap}`);
  };
  return { name: "steer", workers: 1, port: tlsPort, pid: envoy.pid, log: () => envoy.log(), stop };
}

const KINDS: Handshake[] = ["full12", "resumed12", "resumed13"];
const SLICES = 3;
const CONNECTIONS = 150;
