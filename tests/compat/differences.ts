/**
 * Which end-to-end tests fail on which Envoy, and why. Everything else must pass there, and what is named here must fail: an entry
 * that is out of date is a failure, too. docs/use/operating.md shows the same to users.
 */
import { abilitiesOf } from "../../tools/proxies/envoy_versions.ts";

export interface Difference {
  /** The file under tests/e2e/, and which of its tests. */
  file: string;
  tests: RegExp;
  /** Not even run: it would wait for what never comes. */
  skipFile?: boolean;
  /** Chance decides: they may pass, too. */
  byChance?: boolean;
  why: string;
}

export function differencesOf(version: string): Difference[] {
  const { bestSteering, closesFromLua, listIsInVmConfig } = abilitiesOf(version);
  return [
    ...(listIsInVmConfig ? [] : LIST_BESIDE),
    ...(bestSteering === "exact" ? WITHOUT_HASH : []),
    ...(bestSteering === "off" ? WITHOUT_STEERING : []),
    ...(closesFromLua ? [] : WITHOUT_CLOSING),
  ];
}

const LIST_BESIDE: Difference[] = [
  {
    file: "mistakes.test.ts",
    tests: /list beside `vm_config`, on 1\.40/,
    why: "there the list stands beside vm_config",
  },
];

const HASH = "this Envoy does not look at the text for the hash";
const WITHOUT_HASH: Difference[] = [
  { file: "steering.test.ts", tests: /^steering by hash > resumes every /, why: HASH },
  { file: "steering_exact.test.ts", tests: /^steering by hash > /, why: HASH },
  {
    file: "steering_setup.test.ts",
    tests: /switch nothing off: |is said to be effective .*hash|is not doubted/,
    why: HASH,
  },
  {
    file: "steering_evidence.test.ts",
    tests: /^(a client that lies|clients that are|sessions that) .*\(hash\)/,
    why: HASH,
  },
  { file: "affinity.test.ts", tests: /, by hash($| > (TLS 1|the same|most misses))/, why: HASH },
  // Where any server will do, each connection goes to a random one: often unevenly.
  { file: "steering_evidence.test.ts", tests: /^a TLS 1.3 ticket key .*\(hash\)/, byChance: true, why: HASH },
  { file: "affinity.test.ts", tests: /, by hash > (shared ticket key|new connections)/, byChance: true, why: HASH },
  // Of a client of which nothing better is known.
  { file: "affinity.test.ts", tests: /, by exact($| > the same, `steering_by_source` `"always"`)/, why: HASH },
  { file: "removed_sessions.test.ts", tests: /with steering hash/, why: HASH },
  // Of two servers, one of them dead, the other one is always right.
  { file: "dead_server.test.ts", tests: /hash, (refused|silent), one of [34],/, why: HASH },
  {
    file: "deploy.test.ts",
    tests: /^deploy\/(: (systemd|xds|kubernetes daemonset|istio|envoy gateway)|xds|istio) > /,
    why: HASH,
  },
  { file: "rolling_restart.test.ts", tests: /hash > costs each client two more full handshakes at most/, why: HASH },
];

const NO_STEERING = "this Envoy connects before it reads";
const WITHOUT_STEERING: Difference[] = [
  {
    file: "mistakes.test.ts",
    tests:
      /`hash_policy` is left out|`lb_policy: ROUND_ROBIN`|the servers are away|`proxy_call_foreign_function` .* observer's list/,
    why: NO_STEERING,
  },
  { file: "removed_sessions.test.ts", tests: /with steering hash/, why: NO_STEERING },
  {
    file: "deploy.test.ts",
    tests: /^deploy\/(: (systemd|xds|kubernetes daemonset|istio|envoy gateway)|xds|istio) > /,
    why: NO_STEERING,
  },
  { file: "steering.test.ts", tests: /^steering by hash > resumes every /, why: NO_STEERING },
  ...[
    ...["steering_exact.test.ts", "steering_setup.test.ts", "steering_evidence.test.ts", "affinity.test.ts"],
    ...["dead_server.test.ts", "rolling_restart.test.ts"],
  ].map((file) => ({ file, tests: /./, skipFile: true, why: NO_STEERING })),
];

const WITHOUT_CLOSING: Difference[] = [
  {
    file: "guard.test.ts",
    tests: /closed behind the answer|told to go away|of openssl s_client: refused, and the connection ends by itself/,
    why: "this Envoy's Lua cannot close a connection behind its answer",
  },
];
