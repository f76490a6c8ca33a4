/**
 * Values of a fleet's keys in etcd, written apart from the module (assembly/fleet/records/batch.ts has the layout): as another proxy
 * writes them, and as none would.
 */
export const BatchKind = { DECISIONS: 0x64, SESSIONS: 0x73, NAMED: 0x6e } as const;

export const RecordType = {
  TOMBSTONE: 1,
  SESSION: 2,
  OBSERVED: 3,
  FLUSH: 4,
  KEY_LEARNED: 5,
  TICKET_KEY: 6,
  REVOCATION: 7,
  SETTING: 8,
} as const;

export const NamedState = { CONFIGURED: 1, LIFTED: 2, REFUSES: 0x10 } as const;
export const SessionKind = { ID: 1, TICKET: 2, PSK: 3 } as const;

/** The greatest stamp that proxies take: 8 ns since 1970, in 2106. */
export const MAX_STAMP = 125_000_000n << 32n;

export interface FleetRecord {
  type: number;
  id: Uint8Array;
  kind?: number;
  /** Cause, state, or lower byte of the protocol + 1. */
  detail?: number;
  cipher?: number;
  upstream?: string | Uint8Array;
  sni?: string | Uint8Array;
  protocol?: number;
  time?: number;
  /** End, timeout in seconds, or value. */
  until?: number;
  stamp?: bigint;
  ticketKey?: Uint8Array;
  /** Bits beside those that follow from the fields. */
  flags?: number;
}

export interface BatchHeader {
  format?: number;
  kind: number;
  run?: bigint;
  /** Counts that are not those of the records and names. */
  records?: number;
  names?: number;
}

/** A session that another proxy has learned at a time, in Unix seconds: of TLS 1.2, for two hours. */
export function observedRecord(id: Uint8Array, time: number): FleetRecord {
  return {
    type: RecordType.OBSERVED,
    id,
    kind: SessionKind.ID,
    detail: 4,
    cipher: 0xc02f,
    upstream: "10.0.0.1:443",
    time,
    until: 7200,
  };
}

/** A whole batch, with its check. */
export function batchOf(header: BatchHeader, records: readonly FleetRecord[]): Buffer {
  const names: Buffer[] = [];
  const written = records.map((record) => recordOf(record, names));
  const body = Buffer.concat([...names.flatMap((name) => [Buffer.of(name.length), name]), ...written]);
  const head = Buffer.alloc(HEADER_SIZE);
  head.writeUInt8(header.format ?? FORMAT, 0);
  head.writeUInt8(header.kind, 1);
  head.writeUInt16LE(header.names ?? names.length, 2);
  head.writeUInt32LE(header.records ?? records.length, 4);
  head.writeBigUInt64LE(header.run ?? FALSE_RUN, 8);
  return sealed(Buffer.concat([head, body]));
}

/** The same bytes with the check that fits them, if they have room for one. */
export function sealed(batch: Buffer): Buffer {
  const copy = Buffer.from(batch);
  if (copy.length >= HEADER_SIZE) copy.writeBigUInt64LE(fnv1a(copy.subarray(HEADER_SIZE)), 16);
  return copy;
}

/** The stamp of a time in milliseconds since 1970. */
export function stampAt(milliseconds: number): bigint {
  return BigInt(milliseconds) * 125_000n;
}

function recordOf(record: FleetRecord, names: Buffer[]): Buffer {
  const { id, stamp, ticketKey } = record;
  let flags = (record.flags ?? 0) | ((record.kind ?? 0) << 5);
  if (stamp !== undefined) flags |= 1;
  if (ticketKey !== undefined) flags |= 2;
  if (record.cipher !== undefined) flags |= 4;
  const fixed = Buffer.alloc(FIXED_SIZE);
  fixed.writeUInt8(record.type, 0);
  fixed.writeUInt8(flags, 1);
  fixed.writeUInt8(id.length, 2);
  fixed.writeUInt8(record.detail ?? 0, 3);
  fixed.writeUInt16LE(record.cipher ?? 0, 4);
  fixed.writeUInt16LE(numberOf(record.upstream, names), 6);
  fixed.writeUInt16LE(numberOf(record.sni, names), 8);
  fixed.writeUInt16LE(record.protocol ?? 0, 10);
  fixed.writeUInt32LE(record.time ?? 0, 12);
  fixed.writeUInt32LE(record.until ?? 0, 16);
  const stamps = Buffer.alloc(stamp === undefined ? 0 : 8);
  if (stamp !== undefined) stamps.writeBigUInt64LE(stamp);
  return Buffer.concat([fixed, stamps, id, ticketKey ?? Buffer.alloc(0)]);
}

/** The number of a name in a batch, from 1. */
function numberOf(name: string | Uint8Array | undefined, names: Buffer[]): number {
  if (name === undefined) return 0;
  const bytes = Buffer.from(name);
  const known = names.findIndex((one) => one.equals(bytes));
  return known < 0 ? names.push(bytes) : known + 1;
}

/** FNV-1a of 64 bits, in halves: 2^40 + 435 is its prime. */
function fnv1a(bytes: Uint8Array): bigint {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    const product = low * 435;
    const carry = Math.floor(product / 0x1_0000_0000);
    high = (Math.imul(high, 435) + carry + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

const FORMAT = 1;
const HEADER_SIZE = 24;
const FIXED_SIZE = 20;
const FALSE_RUN = 0x0bad_0bad_0bad_0badn;
