/**
 * How long modules take for a handshake of each kind: the time within the module, on the fake host in Node, without that of the
 * host's own functions; and how many calls of the host a handshake makes. All modules run in one process, in interleaved rounds
 * and random order, so whatever disturbs the machine disturbs all alike.
 *
 * Where a process lies in memory makes some per cent of difference: a bound is worth reading over several processes only.
 */
import { Replay, captured, varied } from "../../tests/fake_host/replay.ts";
import type { Flight } from "../../tests/fake_host/fake_host.ts";
import type { HostFunction } from "../../tests/fake_host/vm.ts";
import { EXCHANGES } from "../call_costs.ts";
import { shuffled } from "../handshakes.ts";
import { quantile } from "../statistics.ts";

export interface ModuleTimesOptions {
  rounds: number;
  /** Of one kind, for one module, in one round. */
  handshakes: number;
  warmUp: number;
}

/**
 * Nanoseconds of one handshake by subject, for each module in the order given: the lower quartile of the rounds, as a busy machine only
 * ever adds to a round.
 */
export function measureModules(
  modules: readonly WebAssembly.Module[],
  { rounds, handshakes, warmUp }: ModuleTimesOptions,
): Map<string, number>[] {
  const values = modules.map(() => new Map<string, number[]>());
  for (const [title, settings] of Object.entries(SETTINGS)) {
    const timed = modules.map((module) => new TimedReplay(module, settings));
    for (const [kind, names] of Object.entries(EXCHANGES)) {
      const full = captured(names[0]);
      const wanted = names[1] === names[0] ? full : captured(names[1]);
      for (const replay of timed) replay.run(full, wanted, warmUp);
      for (let round = 0; round < rounds; round++) {
        for (const index of shuffled(modules.map((_, place) => place))) {
          const replay = timed[index] as TimedReplay;
          const into = values[index] as Map<string, number[]>;
          add(into, `${kind}, ${title}`, replay.run(full, wanted, handshakes));
          add(into, `a tick, ${title}`, replay.tick());
        }
      }
    }
  }
  return values.map((ofModule) => new Map([...ofModule].map(([subject, times]) => [subject, quantile(times, 0.25)])));
}

/** Calls of the host by subject, of one handshake whose like have come before. Always the same for the same module. */
export function countHostCalls(module: WebAssembly.Module): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [title, settings] of Object.entries(SETTINGS)) {
    for (const [kind, [full, wanted]] of Object.entries(EXCHANGES)) {
      let calls = 0;
      const onCall = (name: string): void => void (calls += name.startsWith("proxy_on_") ? 0 : 1);
      const replay = new Replay(module, { settings, onCall });
      for (let i = 0; i < COUNTED_BEFORE; i++) {
        replay.run(captured(full));
        replay.run(captured(wanted));
        replay.tick();
      }
      // One in eight of many like connections is asked who has answered: the count is of eight, so that it holds one of those.
      for (let i = 0; i < COUNTED_RUSH; i++) replay.run(captured(wanted));
      calls = 0;
      for (let i = 0; i < COUNTED; i++) replay.run(captured(wanted));
      counts.set(`${kind}, ${title}`, calls / COUNTED);
    }
  }
  return counts;
}

class TimedReplay {
  private readonly replay: Replay;
  private inHost = 0n;
  private inModule = 0n;
  private number = 0;

  constructor(module: WebAssembly.Module, settings: Record<string, unknown>) {
    const around =
      (answer: HostFunction): HostFunction =>
      (...parameters) => {
        const begin = process.hrtime.bigint();
        const result = answer(...parameters);
        this.inHost += process.hrtime.bigint() - begin;
        return result;
      };
    const replay = new Replay(module, { settings, around });
    this.replay = replay;
    // Work in slices ends by the clock: between ticks it goes as it really does.
    const { clock } = replay.host;
    const read = clock.readNanoseconds.bind(clock);
    const start = process.hrtime.bigint();
    clock.readNanoseconds = () => read() + process.hrtime.bigint() - start;
    const call = replay.vm.call.bind(replay.vm);
    replay.vm.call = (context, callback, parameters, otherwise) => {
      const inHostBefore = this.inHost;
      const begin = process.hrtime.bigint();
      const answer = call(context, callback, parameters, otherwise);
      this.inModule += process.hrtime.bigint() - begin - (this.inHost - inHostBefore);
      return answer;
    };
  }

  /** Nanoseconds of one handshake within the module. Each full handshake is of another session. */
  run(full: Flight[], wanted: Flight[], handshakes: number): number {
    const isFull = full === wanted;
    const flights = Array.from({ length: handshakes }, () => (isFull ? varied(wanted, ++this.number) : wanted));
    this.replay.run(full);
    this.inModule = 0n;
    for (const flight of flights) this.replay.run(flight);
    return Number(this.inModule) / handshakes;
  }

  /** Nanoseconds of the tick that follows. */
  tick(): number {
    this.inModule = 0n;
    this.replay.tick();
    return Number(this.inModule);
  }
}

function add(values: Map<string, number[]>, subject: string, value: number): void {
  const known = values.get(subject);
  if (known === undefined) values.set(subject, [value]);
  else known.push(value);
}

const SETTINGS: Record<string, Record<string, unknown>> = {
  observing: { enforcement: "observe" },
  steering: { steering: "hash" },
};
const COUNTED_BEFORE = 20;
const COUNTED_RUSH = 24;
const COUNTED = 8;
