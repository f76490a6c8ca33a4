/**
 * Captured handshakes of real peers, run again and again through one observer of a module: a VM of its own, so that the module may
 * be another build than the shipped one.
 */
import { OPENSSL_TLS12 } from "../fixtures/openssl_tls12.ts";
import { OPENSSL_TLS13 } from "../fixtures/openssl_tls13.ts";
import { Connection, FakeHost, type Flight } from "./fake_host.ts";
import { type Context, type HostFunction, Vm } from "./vm.ts";

export interface ReplayOptions {
  /** Sees the name of each host function and each callback when it is called. */
  onCall?: (name: string) => void;
  /** Puts something around each host function, such as a clock. */
  around?: (answer: HostFunction) => HostFunction;
  settings?: Record<string, unknown>;
}

export class Replay {
  readonly host = new FakeHost();
  readonly vm: Vm;
  private readonly root: Context;
  private nextContext = 2;

  constructor(module: WebAssembly.Module, { onCall, around, settings = {} }: ReplayOptions = {}) {
    const watched = onCall === undefined ? {} : { called: { add: onCall } };
    const surrounded = around === undefined ? {} : { around };
    const surroundings = { ...this.host.surroundings(), ...watched, ...surrounded };
    this.vm = new Vm(module, surroundings, Buffer.from("observer"));
    const configuration = Buffer.from(JSON.stringify({ cache: "default", ...settings }));
    this.root = { id: 1, rootId: "observer", configuration };
    this.vm.add(this.root);
    this.vm.call(this.root, "proxy_on_context_create", [1, 0]);
    this.vm.call(this.root, "proxy_on_vm_start", [1, 0], 1);
    const accepted = this.vm.call(this.root, "proxy_on_configure", [1, configuration.length], 1);
    if (accepted === 0) throw new Error(`the observer refused ${configuration.toString()}`);
  }

  open(): Connection {
    return new Connection(this.vm, this.root, this.nextContext++, { upstream: "127.0.0.1:40001" });
  }

  /** A connection from its beginning to its end. */
  run(flights: readonly Flight[]): void {
    this.open().exchange(flights).close();
  }

  /** A tick of the observer, and the time until it. */
  tick(): void {
    this.host.clock.move(TICK_SECONDS);
    this.vm.call(this.root, "proxy_on_tick", [this.root.id]);
  }

  get memoryBytes(): number {
    return this.vm.memoryBytes;
  }
}

/** The flights of a captured exchange, by its name in the fixtures. */
export function captured(name: string): Flight[] {
  const lines = [...OPENSSL_TLS12, ...OPENSSL_TLS13];
  const flights: Flight[] = [];
  const at = lines.indexOf(`name ${name}`);
  for (const line of lines.slice(at + 1)) {
    if (at < 0 || line.startsWith("name ")) break;
    const [, direction, bytes] = /^([<>]) ([0-9a-f]+)$/.exec(line) ?? [];
    if (bytes === undefined) continue;
    flights.push({ from: direction === ">" ? "client" : "server", bytes: Buffer.from(bytes, "hex") });
  }
  if (flights.length === 0) throw new Error(`there is no captured exchange "${name}"`);
  return flights;
}

/** The same exchange with another session ID from the server, if it issues one: another session. */
export function varied(flights: readonly Flight[], number: number): Flight[] {
  return flights.map(({ from, bytes }, index) => {
    const copy = Buffer.from(bytes);
    // Behind the headers of record and message, the version and the random comes the session ID (RFC 5246 7.4.1.3).
    if (index === 1 && copy.length > HELLO_ID_AT + ID_LENGTH && copy[HELLO_ID_AT - 1] === ID_LENGTH) {
      copy.writeUInt32BE(number >>> 0, HELLO_ID_AT);
    }
    return { from, bytes: copy };
  });
}

const TICK_SECONDS = 0.1;
/** Where the session ID of a hello of either side begins, if the hello begins its record. */
export const HELLO_ID_AT = 5 + 4 + 2 + 32 + 1;
export const ID_LENGTH = 32;
