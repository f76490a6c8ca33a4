/** Records of the cache as batches carry them: both directions. Nothing allocates. */
import { Entry } from "../../session/pages/entry";
import { Cache } from "../../session/cache";
import { Known, Origin, Session, Tombstone } from "../../session/record/session";
import { BatchReader, BatchRecord, BatchWriter, KIND_SHIFT, RecordFlag, RecordType } from "./batch";

/** Appends an entry of a page, if it is a record that other proxies need; needs room for MAX_RECORD_SIZE bytes. */
export function tellEntry(batch: BatchWriter, entry: Entry, cache: Cache): void {
  if (entry.isTombstone) {
    entry.readTombstone(cache.tombstone);
    cache.found.clear();
    entry.readDescription(cache.found, cache.names);
    return tellTombstone(batch, cache.tombstone, cache.found);
  }
  entry.readSession(cache.found, cache.names);
  tellSession(batch, cache.found);
}

function tellTombstone(batch: BatchWriter, tombstone: Tombstone, about: Session): void {
  const record = batch.append(
    RecordType.TOMBSTONE,
    flagsOf(about, about.knows(Known.KIND) ? about.kind : 0) | RecordFlag.STAMPED,
    tombstone.id,
    tombstone.idLength,
  );
  store<u64>(record.id - 8, tombstone.stamp);
  record.detail = tombstone.cause;
  record.protocol = protocolByte(about);
  record.time = <u32>tombstone.time;
  record.until = <u32>tombstone.until;
  describe(batch, record, about);
  if (tombstone.until > batch.until) batch.until = tombstone.until;
}

function tellSession(batch: BatchWriter, session: Session): void {
  const isByHand = session.origin == Origin.API;
  const stamped: u8 = isByHand ? RecordFlag.STAMPED : 0;
  const type = isByHand ? RecordType.SESSION : RecordType.OBSERVED;
  const record = batch.append(type, flagsOf(session, session.kind) | stamped, session.id, session.idLength);
  if (isByHand) store<u64>(record.id - 8, session.stamp);
  record.detail = <u8>protocolByte(session);
  record.time = <u32>session.time;
  record.until = session.timeoutSeconds;
  describe(batch, record, session);
  if (session.expiry > batch.until) batch.until = session.expiry;
}

/** Fills in the fields that tombstones and sessions share. */
function describe(batch: BatchWriter, record: BatchRecord, about: Session): void {
  if (about.knows(Known.CIPHER)) record.cipher = about.cipher;
  if (about.knows(Known.UPSTREAM)) record.upstream = batch.nameOf(about.upstream, about.upstreamLength);
  if (about.knows(Known.SNI)) record.sni = batch.nameOf(about.sni, about.sniLength);
  if (record.flags & RecordFlag.TICKET_KEY) memory.copy(record.ticketKey, about.ticketKey, 16);
}

function flagsOf(about: Session, kind: u8): u8 {
  let flags: u8 = (kind & 3) << KIND_SHIFT;
  if (about.knows(Known.TICKET_KEY)) flags |= RecordFlag.TICKET_KEY;
  if (about.knows(Known.CIPHER)) flags |= RecordFlag.CIPHER;
  if (about.unissued) flags |= RecordFlag.UNISSUED;
  if (about.alone) flags |= RecordFlag.ALONE;
  return flags;
}

function protocolByte(about: Session): u16 {
  return about.knows(Known.PROTOCOL) ? (about.protocol & 0xff) + 1 : 0;
}

/** Fills a tombstone with a record of the type TOMBSTONE; its pointers lead into the batch. */
export function readTombstone(batch: BatchReader, record: BatchRecord, into: Tombstone): void {
  into.id = record.id;
  into.idLength = record.idLength;
  into.session = 0;
  into.hidden = false;
  into.time = record.time;
  into.until = record.until;
  into.monotonicUntil = 0;
  into.cause = record.detail;
  into.stamp = record.stamp;
  const about = into.about;
  about.clear();
  readDescription(batch, record, record.protocol, about);
  if (record.kind == 0) about.known &= ~Known.KIND;
}

/** Fills a session with a record of the type SESSION or OBSERVED; its pointers lead into the batch. */
export function readSession(batch: BatchReader, record: BatchRecord, into: Session): void {
  into.clear();
  into.id = record.id;
  into.idLength = record.idLength;
  readDescription(batch, record, record.detail, into);
  into.time = record.time;
  into.timeoutSeconds = record.until;
  into.known |= Known.TIMEOUT;
  into.unissued = (record.flags & RecordFlag.UNISSUED) != 0;
  into.alone = (record.flags & RecordFlag.ALONE) != 0;
  into.origin = record.type == RecordType.SESSION ? Origin.API : Origin.OBSERVED;
  into.stamp = record.stamp;
}

function readDescription(batch: BatchReader, record: BatchRecord, protocol: u16, into: Session): void {
  into.kind = record.kind;
  into.known |= Known.KIND;
  if (protocol != 0) {
    into.protocol = 0x0300 | ((protocol - 1) & 0xff);
    into.known |= Known.PROTOCOL;
  }
  if (record.flags & RecordFlag.CIPHER) {
    into.cipher = record.cipher;
    into.known |= Known.CIPHER;
  }
  if (record.flags & RecordFlag.TICKET_KEY) {
    into.ticketKey = record.ticketKey;
    into.known |= Known.TICKET_KEY;
  }
  const upstream = batch.name(record.upstream);
  if (upstream != 0) {
    into.upstream = upstream;
    into.upstreamLength = batch.nameLength;
    into.known |= Known.UPSTREAM;
  }
  const sni = batch.name(record.sni);
  if (sni != 0) {
    into.sni = sni;
    into.sniLength = batch.nameLength;
    into.known |= Known.SNI;
  }
}
