/**
 * One simulated worker: a VM of the real module on a fake host whose shared store is the simulation's. It runs captured handshakes
 * one after the other, and a tick each 100 ms, in virtual time: the time of the worker for a connection is spread over its
 * callbacks, and each access to the store is a call of the simulation, which returns when the store would have answered.
 */
import { workerData } from "node:worker_threads";
import { captured, HELLO_ID_AT, ID_LENGTH } from "../../tests/fake_host/replay.ts";
import { FakeHost, type Flight } from "../../tests/fake_host/fake_host.ts";
import {
  ELAPSED_OFFSET,
  END_OFFSET,
  Field,
  KEY_OFFSET,
  Kind,
  NOW_OFFSET,
  Turn,
  VALUE_OFFSET,
  type WorkerOrder,
} from "./messages.ts";

const order = workerData as WorkerOrder;
const numbers = new Int32Array(order.buffer, 0, 8);
const elapsedAt = new Float64Array(order.buffer, ELAPSED_OFFSET, 1);
const nowAt = new Float64Array(order.buffer, NOW_OFFSET, 1);
const endAt = new Float64Array(order.buffer, END_OFFSET, 1);
const bytes = Buffer.from(order.buffer);
const FULL = captured("tls12_id_full");
const RESUMED = captured("tls12_id_resumed");
const TICK_NANOSECONDS = 100_000_000;
/** The module's own work between two accesses of one callback, about. */
const BETWEEN_NANOSECONDS = 700;
/** Of the mixed connections, this share makes a new session. */
const NEW_SHARE = 0.3;
const NEW_IDS = 10_000_000;

/** Virtual time since the last answer of the simulation. */
let elapsed = 0;
let handshakes = 0;
let seed = order.worker * 7919 + 1;

run();

function run(): void {
  const host = new FakeHost({}, false, order.module);
  host.sharedData.get = (key) => {
    if (call(Kind.Get, key, undefined, 0) !== 0) return undefined;
    const length = numbers[Field.VALUE_LENGTH] ?? 0;
    return { value: bytes.subarray(VALUE_OFFSET, VALUE_OFFSET + length), cas: (numbers[Field.CAS] ?? 0) >>> 0 };
  };
  host.sharedData.set = (key, value, cas) => call(Kind.Set, key, value, cas);
  const start = host.clock.readNanoseconds();
  host.clock.readNanoseconds = () => start + BigInt(Math.round(now()));
  host.clock.readMonotonicNanoseconds = host.clock.readNanoseconds;
  waitForTurn();
  const worker = host.worker();
  if (!worker.configure("observer", { cache: "default", steering: "hash" }))
    throw new Error("the module refuses to start");
  const connect = (flights: Flight[], id: number, ownNanoseconds: number): void => {
    const connection = worker.connection({ upstream: "10.0.0.7:443" });
    for (const { from, bytes: whole } of flights) {
      spend((ownNanoseconds / flights.length) * -Math.log(1 - random()));
      const message = withId(whole, id);
      if (from === "client") connection.fromClient(message);
      else connection.fromServer(message);
    }
    connection.close();
  };
  for (let i = order.worker; i < order.sessions; i += order.workers) connect(FULL, i, 0);
  call(Kind.Filled, "", undefined, 0);
  let nextTick = now() + random() * TICK_NANOSECONDS;
  let added = 0;
  while (now() < (endAt[0] ?? 0)) {
    if (now() >= nextTick) {
      worker.tick();
      nextTick += TICK_NANOSECONDS;
    }
    if (order.workload === "new" || (order.workload === "mixed" && random() < NEW_SHARE)) {
      connect(FULL, NEW_IDS + order.worker * NEW_IDS + added++, order.ownNanoseconds);
    } else {
      const id = order.workload === "same" ? 0 : Math.floor(random() * order.sessions);
      connect(RESUMED, id, order.ownNanoseconds);
    }
    numbers[Field.HANDSHAKES] = ++handshakes;
  }
  call(Kind.End, "", undefined, 0);
}

function now(): number {
  return (nowAt[0] ?? 0) + elapsed;
}

function spend(nanoseconds: number): void {
  elapsed += nanoseconds;
}

/** Returns the status, when the simulation has answered. */
function call(kind: number, key: string, value: Uint8Array | undefined, cas: number): number {
  spend(BETWEEN_NANOSECONDS * (0.5 + random()));
  numbers[Field.KIND] = kind;
  numbers[Field.KEY_LENGTH] = bytes.write(key, KEY_OFFSET, "latin1");
  numbers[Field.VALUE_LENGTH] = value?.length ?? 0;
  numbers[Field.CAS] = cas;
  if (value !== undefined) bytes.set(value, VALUE_OFFSET);
  elapsedAt[0] = elapsed;
  elapsed = 0;
  Atomics.store(numbers, Field.TURN, Turn.Simulation);
  Atomics.notify(numbers, Field.TURN);
  waitForTurn();
  return numbers[Field.STATUS] ?? 0;
}

function waitForTurn(): void {
  Atomics.wait(numbers, Field.TURN, Turn.Simulation);
}

/** A hello with another session ID, whichever side says it; all other messages as they are. */
function withId(message: Uint8Array, id: number): Uint8Array {
  if (message[0] !== 22 || (message[5] !== 1 && message[5] !== 2) || message[HELLO_ID_AT - 1] !== ID_LENGTH)
    return message;
  const copy = Buffer.from(message);
  copy.writeUInt32BE(id, HELLO_ID_AT);
  return copy;
}

/** Uniform in [0, 1), the same in each run. */
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}
