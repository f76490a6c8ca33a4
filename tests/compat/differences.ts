/**
 * Which end-to-end tests fail on which Envoy, and why. Everything else must pass there, and what is named here must fail: an entry
 * that is out of date is a failure, too. docs/use/operating.md shows the same to users.
 */
import { abilitiesOf } from "../../tools/envoy_versions.ts";

export interface Difference {
  /** The file under tests/e2e/, and which of its tests. */
  file: string;
  tests: RegExp;
  /** Not even run: it would wait for what never comes. */
  skipFile?: boolean;
  why: string;
}

export function differencesOf(version: string): Difference[] {
  const { bestSteering, closesFromLua } = abilitiesOf(version);
  return [
    ...(bestSteering === "exact" ? WITHOUT_HASH : []),
    ...(bestSteering === "off" ? WITHOUT_STEERING : []),
    ...(closesFromLua ? [] : WITHOUT_CLOSING),
  ];
}

const HASH = "this Envoy does not look at the text for the hash";
const WITHOUT_HASH: Difference[] = [];

const NO_STEERING = "this Envoy connects before it reads";
const WITHOUT_STEERING: Difference[] = [];

const WITHOUT_CLOSING: Difference[] = [
  {
    file: "guard.test.ts",
    tests: /./,
    skipFile: true,
    why: "this Envoy's Lua cannot close a connection behind its answer, and the tests wait for that",
  },
];
