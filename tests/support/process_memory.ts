/**
 * Memory of an Envoy, in bytes: its own in RAM, and the heaps of its wasm VMs. Linux only.
 *
 * V8 reserves 8 GiB without access behind each wasm memory, so that it need not check bounds: the readable mapping right in
 * front of such a reservation is the memory itself, and its length the module's heap. It never shrinks, so it is also the
 * most that the module has ever needed.
 */
import { readFileSync } from "node:fs";

export interface ProcessMemory {
  /** Without pages of files (RssAnon). */
  resident: number;
  /** Of all VMs together. */
  wasm: number;
  vms: number;
}

export function readProcessMemory(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
  const heaps = wasmHeaps(readFileSync(`/proc/${pid}/maps`, "latin1"));
  if (Number.isNaN(kib) || heaps.length === 0) throw new Error(`/proc/${pid} does not tell the memory of wasm VMs`);
  return { resident: kib * 1024, wasm: heaps.reduce((sum, bytes) => sum + bytes, 0), vms: heaps.length };
}

/** Lengths of the readable mappings that have a reservation behind them. */
export function wasmHeaps(maps: string): number[] {
  const heaps: number[] = [];
  let before: { end: number; bytes: number; isReadable: boolean } | undefined;
  for (const [, from = "", to = "", rights = ""] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) (\S{4}) /gm)) {
    const start = Number.parseInt(from, 16);
    const end = Number.parseInt(to, 16);
    const isReservation = rights === "---p" && end - start >= LEAST_RESERVATION;
    if (isReservation && before?.isReadable === true && before.end === start) heaps.push(before.bytes);
    before = { end, bytes: end - start, isReadable: rights === "rw-p" };
  }
  return heaps;
}

const LEAST_RESERVATION = 4 * 2 ** 30;
