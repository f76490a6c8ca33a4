/** The comparison of `npm run bench:guard` sees a slower module, and no difference where there is none. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import binaryen from "assemblyscript/binaryen";
import { countHostCalls, measureModules } from "../../../bench/guard/module_times.ts";
import { type Series, judge, judgeExact, verdictTable } from "../../../bench/guard/verdict.ts";
import { runCommand } from "../../../tools/command.ts";
import { MODULE_FILE } from "../../../tools/project.ts";

describe("bench:guard", () => {
  it("fails a module that was slowed on purpose, and passes the same module", () => {
    const bytes = readFileSync(MODULE_FILE);
    const shipped = new WebAssembly.Module(bytes);
    const slowed = new WebAssembly.Module(slowedModule(bytes, "proxy_on_upstream_data"));
    const starts = Array.from({ length: STARTS }, () => measureModules([shipped, slowed, shipped], FEW));
    const series = (head: number): Series => {
      const values = (place: number): number[] => starts.map((times) => times[place]?.get("full12, observing") ?? NaN);
      return { subject: "full12", unit: "ns", base: values(0), head: values(head) };
    };
    const [slower, same] = [judge(series(1), LIMIT), judge(series(2), LIMIT)];
    assert.equal(slower.isSlower, true, verdictTable([slower, same]));
    assert.equal(same.isSlower, false, verdictTable([slower, same]));
  });

  it("counts the same calls of the host each time, and fails one call in five more", () => {
    const module = new WebAssembly.Module(readFileSync(MODULE_FILE));
    const counts = countHostCalls(module);
    assert.deepEqual(countHostCalls(module), counts);
    const calls = counts.get("resumed12, observing") ?? NaN;
    assert.ok(calls > 0, `a resumption makes ${calls} calls`);
    assert.equal(judgeExact("calls", "", calls, calls, 1.1).isSlower, false);
    assert.equal(judgeExact("calls", "", calls, calls * 1.2, 1.1).isSlower, true);
    assert.equal(judgeExact("calls", "", 0, 1, 1.1).isSlower, true);
  });

  it("does not fail noise, however large its median is", () => {
    const noise = [0.7, 1.6, 0.9, 1.8, 0.8, 1.7, 1.5, 1.6, 0.7, 1.9];
    const row = judge({ subject: "noise", unit: "us", base: noise.map(() => 10), head: noise.map((x) => x * 10) }, 1.1);
    assert.ok(row.ratio > 1.1, `the median ratio is ${row.ratio}`);
    assert.equal(row.isSlower, false);
  });

  it("fails a small slowdown that each pair shows, above the limit and not below it", () => {
    const noise = [1.14, 1.16, 1.13, 1.17, 1.15, 1.14, 1.16, 1.15, 1.13, 1.18];
    const series = { subject: "slower", unit: "us", base: noise.map(() => 10), head: noise.map((x) => x * 10) };
    assert.equal(judge(series, 1.1).isSlower, true);
    assert.equal(judge(series, 1.2).isSlower, false);
    assert.match(verdictTable([judge(series, 1.1)]), /1\.13 to 1\.17 \| SLOWER \|$/m);
  });

  it("refuses to judge fewer pairs than a bound follows from", () => {
    assert.throws(() => judge({ subject: "few", unit: "us", base: [1, 1, 1, 1], head: [2, 2, 2, 2] }, 1.1), /few: 4/);
  });

  it("ends with 2 if there is no such commit", async () => {
    const args = ["--import", "tsx", "bench/guard/main.ts", "--base", "no-such-commit"];
    const { exitCode, output } = await runCommand(process.execPath, args, { timeoutSeconds: 60 });
    assert.equal(exitCode, 2, output);
    assert.match(output, /no such commit/);
  });
});

/** The module with a loop of some ten microseconds in front of a callback. */
function slowedModule(bytes: Uint8Array, callback: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.All);
    const { i32 } = binaryen;
    const { value } = binaryen.getExportInfo(module.getExport(callback));
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
    const given = binaryen.expandType(params);
    const counter = given.length;
    const countDown = module.block(null, [
      module.local.set(counter, module.i32.sub(module.local.get(counter, i32), module.i32.const(1))),
      module.br_if("again", module.local.get(counter, i32)),
    ]);
    const operands = given.map((type, index) => module.local.get(index, type));
    const body = [
      module.local.set(counter, module.i32.const(LOOPS)),
      module.loop("again", countDown),
      module.call(value, operands, results),
    ];
    module.addFunction("slowed", params, results, [i32], module.block(null, body, results));
    module.removeExport(callback);
    module.addFunctionExport("slowed", callback);
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}

const FEW = { rounds: 8, handshakes: 10, warmUp: 100 };
const STARTS = 5;
const LIMIT = 1.5;
const LOOPS = 20_000;
