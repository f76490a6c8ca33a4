import {
  BatchKind,
  BatchReader,
  BatchWriter,
  MAX_BATCH_SIZE,
  RecordFlag,
  RecordType,
} from "../../../../assembly/fleet/records/batch";
import { idOf, Text } from "../../support/sessions";

const RUN: u64 = 0x1122334455667788;

/** A batch of three records, two of which share a name. */
function write(to: usize): i32 {
  const writer = new BatchWriter(BatchKind.DECISIONS, MAX_BATCH_SIZE);
  const upstream = new Text("127.0.0.1:443");
  const sni = new Text("shop.example");
  const grave = writer.append(RecordType.TOMBSTONE, RecordFlag.STAMPED, idOf(1), 32);
  store<u64>(grave.id - 8, 77);
  grave.upstream = writer.nameOf(upstream.start, upstream.length);
  grave.time = 1000;
  grave.until = 2000;
  const seen = writer.append(RecordType.OBSERVED, RecordFlag.TICKET_KEY, idOf(2), 32);
  memory.copy(seen.ticketKey, idOf(9), 16);
  seen.upstream = writer.nameOf(upstream.start, upstream.length);
  seen.sni = writer.nameOf(sni.start, sni.length);
  writer.append(RecordType.FLUSH, 0, idOf(0), 8);
  const length = writer.finish(RUN, to);
  writer.free();
  return length;
}

const VALUE: usize = memory.data(4096);
const COPY: usize = memory.data(4096);

describe("a batch", () => {
  it("is read as it was written", () => {
    const reader = new BatchReader();
    expect(reader.open(VALUE, write(VALUE))).toBe(true);
    expect(reader.kind).toBe(BatchKind.DECISIONS);
    expect(reader.run).toBe(RUN);
    expect(reader.left).toBe(3);
    const grave = reader.next()!;
    expect(grave.type).toBe(RecordType.TOMBSTONE);
    expect(grave.stamp).toBe(77);
    expect(memory.compare(grave.id, idOf(1), 32)).toBe(0);
    const upstream = reader.name(grave.upstream);
    expect(String.UTF8.decodeUnsafe(upstream, reader.nameLength)).toBe("127.0.0.1:443");
    const seen = reader.next()!;
    expect(seen.upstream).toBe(grave.upstream, "a name stands there once");
    expect(memory.compare(seen.ticketKey, idOf(9), 16)).toBe(0);
    const sni = reader.name(seen.sni);
    expect(String.UTF8.decodeUnsafe(sni, reader.nameLength)).toBe("shop.example");
    expect(reader.next()!.size).toBe(28);
    expect(reader.next()).toBeNull();
    expect(reader.left).toBe(0);
  });

  it("takes 60 bytes for a tombstone of an ID of 32 bytes", () => {
    const reader = new BatchReader();
    reader.open(VALUE, write(VALUE));
    expect(reader.next()!.size).toBe(60);
  });

  it("is refused if it was cut anywhere, or any byte of it is another one", () => {
    const length = write(VALUE);
    const reader = new BatchReader();
    for (let cut = 0; cut < length; cut++) expect(reader.open(VALUE, cut)).toBe(false);
    let refused = 0;
    for (let at = 24; at < length; at++) {
      memory.copy(COPY, VALUE, length);
      store<u8>(COPY + <usize>at, load<u8>(COPY + <usize>at) ^ 0x41);
      if (!reader.open(COPY, length)) refused++;
    }
    expect(refused).toBe(length - 24);
  });

  it("is never read beyond its end, whatever its numbers say", () => {
    const length = write(VALUE);
    const reader = new BatchReader();
    memory.copy(COPY, VALUE, length);
    store<u32>(COPY, u32.MAX_VALUE, 4);
    expect(reader.open(COPY, length)).toBe(true);
    let records = 0;
    while (reader.next()) records++;
    expect(records).toBe(3);
    expect(reader.left).toBeGreaterThan(0);
    store<u16>(COPY, u16.MAX_VALUE, 2);
    expect(reader.open(COPY, length)).toBe(false);
  });

  it("names nothing under a number that it does not have", () => {
    const reader = new BatchReader();
    reader.open(VALUE, write(VALUE));
    expect(reader.name(0)).toBe(0);
    expect(reader.name(3)).toBe(0);
    expect(reader.nameLength).toBe(0);
  });

  it("is full before it is longer than a value may be", () => {
    const writer = new BatchWriter(BatchKind.SESSIONS, MAX_BATCH_SIZE);
    let records = 0;
    while (writer.hasRoom(512)) {
      const name = new Text("host-" + records.toString() + ".example");
      const record = writer.append(RecordType.OBSERVED, 0, idOf(records & 4095), 32);
      record.sni = writer.nameOf(name.start, name.length);
      heap.free(name.start);
      records++;
    }
    expect(records).toBeGreaterThan(700);
    expect(writer.length).toBeLessThanOrEqual(MAX_BATCH_SIZE);
    writer.free();
  });
});
