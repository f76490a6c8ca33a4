/** The command config: the pieces for an envoy.yaml of one's own, or that file with the pieces in it. */
import { isAbsolute } from "node:path";
import { stringify } from "yaml";
import { SHIPPED_FOR, abilitiesOf } from "../../proxies/envoy_versions.ts";
import { UsageError } from "../client_error.ts";
import type { Arguments, Command } from "../command.ts";
import { type Wishes, changedFile } from "../configure/into.ts";
import {
  type PieceOptions,
  adminListener,
  exactCluster,
  exactNameOf,
  guardFilters,
  observer,
  statsTags,
  tcpProxyFields,
} from "../configure/pieces.ts";
import { readFile } from "../proxies.ts";
import { expectWords } from "./names.ts";

export const CONFIG: Command = {
  name: "config",
  usage: "[--into envoy.yaml] [--steer] [--admin] [--guard LISTENER]",
  summary: "The pieces for your own envoy.yaml, shortest form first, or the whole changed file",
  about: [
    "Without options it prints the filter that watches and refuses. Each piece is a YAML document with its place in a comment.",
    "--into prints the file with the pieces in it, and changes nothing on disk. doctor checks the result.",
  ],
  options: {
    into: { value: "FILE", about: "print this envoy.yaml with the pieces in it; - is stdin" },
    listener: {
      value: "NAME",
      about: "the listener in front of your servers; with --into, the only one with a tcp_proxy",
    },
    cluster: { value: "NAME", about: "the cluster of its tcp_proxy; with --into it is read from there" },
    steer: { about: "send each resumption to the server that issued its session" },
    admin: { about: "the listener of the admin API, on 127.0.0.1" },
    "admin-port": { value: "PORT", about: "its port; 10080 by default" },
    guard: { value: "LISTENER", about: "a listener that terminates TLS: refuse removed sessions there, too" },
    labels: { about: "stats_config, so that metrics have labels" },
    restrict: { about: "let the module call only what it needs" },
    module: { value: "FILE", about: `the module, as Envoy sees it; /etc/envoy/tls-session-cache.wasm by default` },
    envoy: { value: "VERSION", about: `the Envoy that reads it, as 1.39; ${SHIPPED_FOR} by default` },
  },
  prepare: (args) => {
    expectWords(args.words, 0, 0, "config");
    const wishes = wishesOf(args);
    const file = args.text("into");
    const changed =
      file === null
        ? { text: piecesOf(wishes, args.text("cluster") ?? "my_servers"), warnings: [] }
        : changedFile(readFile(file, "--into"), file, wishes);
    return {
      runOnAll: (_apis, screen) => {
        screen.print([changed.text.trimEnd()]);
        for (const warning of changed.warnings) screen.warn(warning);
        return Promise.resolve(0);
      },
    };
  },
};

function wishesOf(args: Arguments): Wishes {
  const version = args.text("envoy") ?? SHIPPED_FOR;
  if (!/^1\.\d{1,3}(\.\d{1,3})?$/.test(version)) throw new UsageError(`--envoy "${version}" is not a version, as 1.39`);
  const { bestSteering, listIsInVmConfig } = abilitiesOf(version);
  if (args.has("steer") && bestSteering === "off")
    throw new UsageError(`Envoy ${version} cannot steer; 1.37 and later can`);
  const module = args.text("module") ?? "/etc/envoy/tls-session-cache.wasm";
  if (!isAbsolute(module)) throw new UsageError(`--module ${module}: name the module by its absolute path`);
  const port = Number(args.text("admin-port") ?? 10_080);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new UsageError("--admin-port: not a port");
  return {
    pieces: {
      module,
      steering: args.has("steer") ? bestSteering : "off",
      isRestricted: args.has("restrict"),
      listIsInVmConfig,
    },
    listener: args.text("listener"),
    guarded: args.text("guard"),
    adminPort: args.has("admin") || args.text("admin-port") !== null ? port : null,
    hasLabels: args.has("labels"),
  };
}

/** A stream of YAML documents. */
function piecesOf(wishes: Wishes, cluster: string): string {
  const { pieces, listener, guarded, adminPort, hasLabels } = wishes;
  const chain = listener === null ? "the listener in front of your servers" : `listener ${listener}`;
  const documents: [string, unknown][] = [
    [`${chain} > filter_chains > filters, in front of tcp_proxy:`, [observer(pieces, cluster)]],
    ...steeringPieces(pieces, chain, cluster),
  ];
  if (guarded !== null) {
    documents.push(
      [`listener ${guarded} > ... > http_filters, in front of the router:`, guardFilters(pieces)],
      [
        `listener ${guarded} > filter_chains > transport_socket > typed_config:`,
        { disable_stateless_session_resumption: true },
      ],
    );
  }
  if (adminPort !== null) documents.push(["static_resources > listeners:", [adminListener(pieces, adminPort)]]);
  if (hasLabels) documents.push(["beside static_resources:", { stats_config: { stats_tags: statsTags() } }]);
  return documents
    .map(([place, value]) => `# ${place}\n${stringify(value, { lineWidth: 0, singleQuote: true })}`)
    .join("---\n");
}

function steeringPieces(pieces: PieceOptions, chain: string, cluster: string): [string, unknown][] {
  if (pieces.steering === "off") return [];
  const isByHash = pieces.steering === "hash";
  return [
    [`${chain} > ... > tcp_proxy > typed_config:`, tcpProxyFields(pieces)],
    isByHash
      ? [`cluster ${cluster}:`, { lb_policy: "MAGLEV" }]
      : ["static_resources > clusters:", [exactCluster(exactNameOf(cluster))]],
  ];
}
