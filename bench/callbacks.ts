/**
 * How long a single callback of the module takes, on the fake host in Node (the same V8 kind of compiler as Envoy's), over captured
 * handshakes of every kind. The time in the host's own functions, which are written in JavaScript here, is taken off.
 */
import { readFileSync } from "node:fs";
import { MODULE_FILE } from "../tools/project.ts";
import type { HostFunction } from "../tests/fake_host/vm.ts";
import { Replay, captured, varied } from "../tests/fake_host/replay.ts";
import { EXCHANGES } from "./call_costs.ts";
import { quantile } from "./statistics.ts";

export interface CallbackTimes {
  calls: number;
  medianMicroseconds: number;
  p999Microseconds: number;
  longestMicroseconds: number;
}

/** Times by callback, over `handshakes` handshakes; those that warm up are not counted. And memory before and after. */
export function measureCallbacks(
  settings: Record<string, unknown>,
  handshakes: number,
): { times: Map<string, CallbackTimes>; bytesBefore: number; bytesAfter: number } {
  let inHost = 0n;
  const around =
    (answer: HostFunction): HostFunction =>
    (...parameters) => {
      const begin = process.hrtime.bigint();
      const result = answer(...parameters);
      inHost += process.hrtime.bigint() - begin;
      return result;
    };
  const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), { settings, around });
  // Work in slices ends by the clock: between ticks it goes as it really does.
  const { clock } = replay.host;
  const read = clock.readNanoseconds.bind(clock);
  const start = process.hrtime.bigint();
  clock.readNanoseconds = () => read() + process.hrtime.bigint() - start;
  const exchanges = Object.values(EXCHANGES).map(([full, wanted]) => [captured(full), captured(wanted)] as const);
  const run = (from: number, count: number): void => {
    for (let i = from; i < from + count; i += 2) {
      const [full, wanted] = exchanges[(i >> 1) % exchanges.length] ?? [[], []];
      replay.run(varied(full, i));
      replay.run(wanted);
      if (i % HANDSHAKES_A_TICK === 0) replay.tick();
    }
  };
  run(0, WARM_UP);
  const bytesBefore = replay.memoryBytes;
  const nanoseconds = new Map<string, number[]>();
  const call = replay.vm.call.bind(replay.vm);
  replay.vm.call = (context, callback, parameters, otherwise) => {
    inHost = 0n;
    const begin = process.hrtime.bigint();
    const answer = call(context, callback, parameters, otherwise);
    const taken = Number(process.hrtime.bigint() - begin - inHost);
    const known = nanoseconds.get(callback);
    if (known === undefined) nanoseconds.set(callback, [taken]);
    else if (known.length < MAX_SAMPLES) known.push(taken);
    return answer;
  };
  run(WARM_UP, handshakes);
  const times = new Map<string, CallbackTimes>();
  for (const [callback, values] of nanoseconds) {
    times.set(callback, {
      calls: values.length,
      medianMicroseconds: quantile(values, 0.5) / 1000,
      p999Microseconds: quantile(values, 0.999) / 1000,
      longestMicroseconds: quantile(values, 1) / 1000,
    });
  }
  return { times, bytesBefore, bytesAfter: replay.memoryBytes };
}

const WARM_UP = 100_000;
const HANDSHAKES_A_TICK = 200;
const MAX_SAMPLES = 2_000_000;
