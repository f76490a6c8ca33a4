/**
 * Bounded, seeded fuzzing of `Handshake`: damaged captured exchanges, or random bytes in both directions, fed twice with
 * different cuts.
 *
 * Promises of each round: nothing traps. Every feed takes at least one byte, and never more than it got. The result does not
 * depend on the cuts, and neither does following the client's records afterwards. Nothing depends on the memory around the
 * bytes, so nothing is read outside. All memory is freed. `npm run fuzz -- --only parser` runs it for longer.
 */
import { Direction } from "../../assembly/tls/handshake";
import { liveHandshakeBytes } from "../../assembly/tls/memory";
import { RECORD_FOLLOWER_SIZE, RecordFollower } from "../../assembly/tls/wire/record_follower";
import { Exchange } from "../unit/support/hello_exchange";
import { Watch } from "../unit/support/hello_watch";

/** Runs `rounds` rounds. Returns 0, or 1 plus the number of the failing round: `fuzz(seed, result)` ends with that round. */
export function fuzz(seed: u32, rounds: i32): i32 {
  random = ((<u64>seed) << 1) | 1;
  if (exchanges.length == 0) exchanges = Exchange.captured();
  const held = liveHandshakeBytes();
  for (let round = 0; round < rounds; round++) {
    if (below(RANDOM_ONE_IN) == 0) startRandom();
    else start(exchanges[below(exchanges.length)]);
    const mutations = below(MAX_MUTATIONS + 1);
    for (let i = 0; i < mutations; i++) mutate();
    const pieces = 1 + below(3);
    if (watched(0x00, 0) != watched(0xff, pieces) || failed || liveHandshakeBytes() != held) return round + 1;
  }
  return 0;
}

/** Feeds all segments: whole if `cuts` is 0, else in random pieces, smaller for more `cuts`. `fill` surrounds each piece. */
function watched(fill: u8, cuts: i32): u64 {
  const watch = new Watch();
  watch.steps = cuts > 1;
  for (let i = 0; i < count; i++) {
    const length = lengths[i];
    let at = 0;
    while (at < length) {
      const piece = cuts == 0 ? length : min(length - at, 1 + below(length >> (cuts * 2)));
      memory.fill(PIECE, fill, SLOT_SIZE + 2 * GUARD_SIZE);
      memory.copy(PIECE + GUARD_SIZE, slot(i) + at, piece);
      watch.feed(directions[i], PIECE + GUARD_SIZE, piece);
      at += piece;
    }
  }
  failed = failed || watch.miscounted;
  const followed = followedBehind(watch);
  return watch.close() ^ followed;
}

/** Hands the client's records over and follows those of the last segments. Returns the place of the first renegotiation. */
function followedBehind(watch: Watch): u64 {
  if (!watch.seen.handOver(FOLLOWER)) return 0;
  let passed = 0;
  for (let i = max(count - 2, 0); i < count; i++) {
    let at = 0;
    while (at < lengths[i]) {
      const left = min(FOLLOWER.bodyLeft, lengths[i] - at);
      if (left > 0) {
        FOLLOWER.passBody(left);
        at += left;
      } else if (FOLLOWER.pushHeader(load<u8>(slot(i) + at++))) {
        return <u64>(passed + at);
      }
    }
    passed += lengths[i];
  }
  return u64.MAX_VALUE;
}

/** Segments of random bytes, each of which may begin like a record of a known type. */
function startRandom(): void {
  count = 1 + below(8);
  for (let i = 0; i < count; i++) {
    directions[i] = below(2) == 0 ? Direction.Downstream : Direction.Upstream;
    lengths[i] = 1 + below(MAX_RANDOM_SIZE);
    for (let at = 0; at < lengths[i]; at++) store<u8>(slot(i) + at, <u8>below(256));
    if (below(4) == 0 || lengths[i] < 6) continue;
    store<u8>(slot(i), <u8>(below(8) == 0 ? 0x80 : 0x14 + below(5)));
    store<u8>(slot(i) + 1, 0x03);
    // Short records, so that there are several, and a known message in the first.
    store<u8>(slot(i) + 3, 0);
    store<u8>(slot(i) + 5, load<u8>(EDGES + below(EDGE_COUNT)));
  }
}

function start(exchange: Exchange): void {
  count = min(exchange.segments.length, MAX_SEGMENTS);
  for (let i = 0; i < count; i++) copySegment(exchange, i, i);
}

function copySegment(exchange: Exchange, from: i32, to: i32): void {
  const segment = exchange.segments[from];
  directions[to] = segment.direction;
  lengths[to] = min(segment.bytes.length, SLOT_SIZE);
  memory.copy(slot(to), segment.bytes.at, lengths[to]);
}

function mutate(): void {
  // Half of the time among the first segments, which decide most.
  const target = below(below(2) == 0 ? count : min(count, 3));
  const bytes = slot(target);
  const length = lengths[target];
  if (length == 0) return;
  // And half of the time among the first bytes, which are headers and lengths.
  const at = below(below(2) == 0 ? length : min(length, 160));
  const span = 1 + below(min(length - at, 64));
  switch (below(9)) {
    case 0: // one bit
      store<u8>(bytes + at, load<u8>(bytes + at) ^ (1 << (<u8>below(8))));
      return;
    case 1: // a boundary value
      store<u8>(bytes + at, load<u8>(EDGES + below(EDGE_COUNT)));
      return;
    case 2: // one more or one less
      store<u8>(bytes + at, load<u8>(bytes + at) + (below(2) == 0 ? 1 : 0xff));
      return;
    case 3: // random bytes
      for (let i = 0; i < span; i++) store<u8>(bytes + at + i, <u8>below(256));
      return;
    case 4: // bytes left out
      memory.copy(bytes + at, bytes + at + span, length - at - span);
      lengths[target] = length - span;
      return;
    case 5: // bytes repeated
      if (length + span > SLOT_SIZE) return;
      memory.copy(bytes + at + span, bytes + at, length - at);
      lengths[target] = length + span;
      return;
    case 6: // the end left out
      lengths[target] = at;
      return;
    case 7: // the other direction
      directions[target] = directions[target] == Direction.Upstream ? Direction.Downstream : Direction.Upstream;
      return;
    default: {
      // a segment of another connection
      const other = exchanges[below(exchanges.length)];
      copySegment(other, below(other.segments.length), target);
    }
  }
}

/** A number from 0 to `limit` - 1, or 0 if `limit` is below 1: xorshift64*. */
function below(limit: i32): i32 {
  random ^= random >> 12;
  random ^= random << 25;
  random ^= random >> 27;
  return limit > 1 ? <i32>(((random * 0x2545f4914f6cdd1d) >> 33) % <u64>limit) : 0;
}

function slot(index: i32): usize {
  return SLOTS + <usize>(index * SLOT_SIZE);
}

const MAX_MUTATIONS: i32 = 4;
const RANDOM_ONE_IN: i32 = 8;
const MAX_RANDOM_SIZE: i32 = 600;
const MAX_SEGMENTS: i32 = 32;
const SLOT_SIZE: i32 = 16384;
const GUARD_SIZE: i32 = 64;
const EDGE_COUNT: i32 = 16;
// prettier-ignore
const EDGES: usize = memory.data<u8>([
  0x00, 0x01, 0x02, 0x03, 0x04, 0x0e, 0x10, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x7f, 0x80, 0xff,
]);
const SLOTS: usize = heap.alloc(MAX_SEGMENTS * SLOT_SIZE);
const FOLLOWER = changetype<RecordFollower>(memory.data(RECORD_FOLLOWER_SIZE, 8));
const PIECE: usize = heap.alloc(SLOT_SIZE + 2 * GUARD_SIZE);

let random: u64 = 1;
let exchanges: Array<Exchange> = [];
let failed: bool = false;
let count: i32 = 0;
const lengths = new StaticArray<i32>(MAX_SEGMENTS);
const directions = new StaticArray<i32>(MAX_SEGMENTS);
