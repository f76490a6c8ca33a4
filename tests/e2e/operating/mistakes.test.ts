/** Each mistake of docs/use/mistakes.md, made with a real Envoy: its user reads the line of the table. None is silent. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { attempt } from "../../mistakes/attempt.ts";
import { MISTAKES } from "../../mistakes/mistakes.ts";

let upstreams: DemoUpstream[] = [];

before(async () => {
  upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
});
after(() => Promise.all(upstreams.map((upstream) => upstream.close())));

for (const group of new Set(MISTAKES.map((mistake) => mistake.group))) {
  describe(`mistakes, ${group}`, { concurrency: 3 }, () => {
    for (const mistake of MISTAKES.filter((other) => other.group === group)) {
      const { what, starts, see } = mistake;
      it(`${what}: Envoy ${starts ? "starts" : "does not start"}, and says so`, async () => {
        const addresses = upstreams.map(({ address }) => address);
        const isSeen = (line: string): boolean => patternOf(see).test(line);
        const { started, lines } = await attempt(addresses, mistake, isSeen);
        assert.ok(lines.some(isSeen), `nobody reads "${see}" in:\n${lines.slice(-40).join("\n")}`);
        assert.equal(started, starts);
      });
    }
  });
}

it("the shipped file has none of them", async () => {
  const addresses = upstreams.map(({ address }) => address);
  const { started, lines } = await attempt(addresses, {}, (line) => line.includes("nobody says this"));
  assert.ok(started);
  for (const { see, what } of MISTAKES) {
    assert.ok(!lines.some((line) => patternOf(see).test(line)), `${what}: ${see}`);
  }
});

/** A part of a line, in which `…` stands for what varies. */
function patternOf(see: string): RegExp {
  return new RegExp(see.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*"));
}
