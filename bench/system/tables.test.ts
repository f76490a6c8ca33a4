import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cell, PROXY_NAMES, type ProxyName, type Results, type Situation, situationsOf } from "./grid.ts";
import { pictureOf } from "./picture.ts";
import { costTable, decisionTable, differenceTable, reportOf, resumedTable, targetsOf } from "./tables.ts";

const FAR = 25;

test("addresses are not varied for clients that offer no session", () => {
  const situations = situationsOf(["tls12_rsa"], ["changing", "stable"], [0, 90], [0]);
  assert.deepEqual(
    situations.map(({ addresses, resumePercent }) => `${addresses} ${resumePercent}`),
    ["changing 0", "changing 90", "stable 90"],
  );
});

test("the table to decide by shows the least CPU time in bold, and the first byte of the longest delay", () => {
  const [head = "", , changing = "", stable = ""] = decisionTable(
    results({ plain: 1000, haproxy: 700, hash: 600 }),
  ).split("\n");
  assert.match(head, /25 ms each way \|.*plain Envoy.*HAProxy.*hash/);
  assert.match(changing, /TLS 1\.2, RSA 2048, changing .* 1000 \/ 200 .* 700 \/ 140 .*\*\*600\*\* \/ 120 /);
  assert.match(stable, /RSA 2048, stable .* 1000 \/ 200 /);
});

test("whoever else takes less is in bold, too", () => {
  assert.match(decisionTable(results({ haproxy: 500, hash: 600 })), /\*\*500\*\* .* 600 /);
});

test("the total of a connection stands beside its parts, from the rounds without a delay", () => {
  assert.match(costTable(results({ plain: 1000 })), /changing, 90 % +\| 1000 = 200 \+ 800 /);
});

test("resumptions are counted over all connections of all rounds", () => {
  assert.match(resumedTable(results({ plain: 1000 })), /changing, 90 % +\| +45 /);
});

test("differences are taken round by round, with a bound if there are rounds enough", () => {
  assert.match(differenceTable(results({ plain: 1000, hash: 600 })), /hash to plain Envoy/);
  assert.match(differenceTable(results({ plain: 1000, hash: 600 })), /changing, 90 % +\| +-40 % \(-40\)/);
  assert.match(differenceTable(results({ plain: 1000, hash: 600 }, 4)), /-40 % \(-\)/);
});

test("a target is met by a saving that is large enough, and only with changing addresses", () => {
  const judge = (plain: number, haproxy: number): boolean[] =>
    targetsOf(results({ plain, haproxy, hash: 600 })).map(({ isMet }) => isMet);
  assert.deepEqual(judge(1000, 700), [true, true]);
  assert.deepEqual(judge(900, 700), [false, true]);
  assert.deepEqual(judge(1000, 590), [true, false]);
  assert.deepEqual(targetsOf(results({ hash: 600 })), []);
});

test("a report of one proxy has no comparison, and no cell without a figure", () => {
  const report = reportOf(results({ plain: 1000 }));
  assert.match(report, /^Some machine\n/);
  assert.doesNotMatch(report, /beside the others|met:|missed:|NaN|undefined/);
});

test("the picture has a bar for proxy and servers each, to one scale, and follows the colour scheme", () => {
  const picture = pictureOf(results({ plain: 1000, hash: 500 }));
  const widths = (style: string): number[] =>
    [
      ...picture.matchAll(new RegExp(`<rect class="${style}" x="[\\d.]+" y="\\d+" width="([\\d.]+)" height="16"`, "g")),
    ].map(([, width]) => Number(width));
  const [plain = 0, hash = 0, ...others] = widths("servers");
  assert.deepEqual(others, []);
  assert.ok(Math.abs(plain - 2 * hash) < 0.3, `${plain} and ${hash}`);
  assert.equal(widths("proxy").length, 2);
  assert.equal(widths("first").length, 4, "two proxies, two delays");
  assert.match(picture, /prefers-color-scheme:dark/);
  assert.match(picture, /<desc id="d">TLS 1\.2, RSA 2048, .*plain Envoy 1000, this filter, hash 500\./);
  assert.doesNotMatch(picture, /NaN|undefined|Infinity/);
});

test("the picture stays within its frame with all proxies", () => {
  const totals = Object.fromEntries(PROXY_NAMES.map((name, index) => [name, 100 * (index + 1)]));
  const picture = pictureOf(results(totals));
  const right = [...picture.matchAll(/<rect class="\w+" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(
    ([, x, width]) => Number(x) + Number(width),
  );
  assert.ok(Math.max(...right) < 840, String(Math.max(...right)));
});

test("there is no picture of stable addresses alone", () => {
  const all = results({ plain: 1000 });
  const cells = all.cells.filter(({ situation }) => situation.addresses === "stable");
  assert.equal(pictureOf({ ...all, cells }), "");
});

/** One kind of server, two habits and two delays; each total is one fifth the proxy's, and half of what was offered resumed. */
function results(totals: Partial<Record<ProxyName, number>>, rounds = 6): Results {
  const situations = situationsOf(["tls12_rsa"], ["changing", "stable"], [90], [0, FAR]);
  const cells = situations.flatMap((situation) =>
    (Object.entries(totals) as [ProxyName, number][]).map(([proxy, total]) => cellOf(situation, proxy, total, rounds)),
  );
  return {
    machine: ["Some machine"],
    settings: { seed: 1, rounds, connections: 100, lanes: 4, isPinned: true },
    cells,
  };
}

function cellOf(situation: Situation, proxy: ProxyName, total: number, rounds: number): Cell {
  const firstByte = total / (situation.delayMilliseconds === FAR ? 5 : 500);
  const slice = {
    proxyMicroseconds: total / 5,
    serversMicroseconds: (4 * total) / 5,
    firstByteMilliseconds: firstByte,
    firstByteMilliseconds95: 2 * firstByte,
    connections: 100,
    offered: 90,
    resumed: 45,
  };
  return { situation, proxy, slices: Array.from({ length: rounds }, () => slice) };
}
