/**
 * What the Envoy at hand cannot do is said in one line of its log, by its version, and nothing is said where all works. `npm run
 * test:compat` runs this on each version.
 */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { envoyVersion, findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { abilitiesOf } from "../../../tools/proxies/envoy_versions.ts";
import { eventually, startStack } from "../../support/stack.ts";

let upstream: DemoUpstream;

before(async () => (upstream = await startDemoUpstream({ name: "alpha", tickets: true })));
after(() => upstream?.close());

const CASES = [
  { steering: "off", bySource: true, needs: "off" },
  { steering: "exact", bySource: true, needs: "exact" },
  { steering: "exact", bySource: "always", needs: "hash" },
  { steering: "hash", bySource: true, needs: "hash" },
] as const;

for (const { steering, bySource, needs } of CASES) {
  it(`steering ${steering}, by source ${bySource}: Envoy says once that it cannot, or nothing`, async () => {
    const version = (await envoyVersion(await findEnvoy(() => undefined))) ?? "";
    const stack = await startStack({
      upstreams: [upstream.address],
      steering,
      cache: { steering_by_source: bySource },
    });
    try {
      const lines = (): string[] => stack.envoy.log().match(/ Envoy \d+\.\d+\.\d+ (?:cannot|does not) .*/g) ?? [];
      const works = ORDER.indexOf(needs) <= ORDER.indexOf(abilitiesOf(version).bestSteering);
      if (!works) await eventually("Envoy says it", () => assert.ok(lines().length > 0, "no line has come"));
      assert.equal(lines().length, works ? 0 : 1, lines().join("\n"));
      if (!works) assert.ok(lines()[0]?.startsWith(` Envoy ${version} `), lines()[0]);
    } finally {
      await stack.stop();
    }
  });
}

/** Of what a version steers by, each includes those before it. */
const ORDER = ["off", "exact", "hash"];
