/**
 * The upstreams that hold one ticket key, and how often each upstream has declined its tickets since it last accepted one.
 *
 * Layout, 128 bytes, little-endian: the fields; then three sets of 256 bits, a bit for each upstream by its number: the
 * holders, and the low and the high bits of their counts of declines, which stop at MAX_DECLINES.
 */

/** See the head of this file. */
@unmanaged
export class Holding {
  /** Keyed hash of the key's name; 0 for an empty place. */
  name: u64;
  /** When another upstream may be asked whether it holds the key, too (Unix time). */
  nextProbe: u32;
  /** The network of the last decline. */
  network: u32;
  /** How often others were asked in vain. */
  failedProbes: u8;
  private zero0: u8;
  private zero1: u16;
  private zero2: u32;
  private zero3: u64;

  begin(name: u64, nextProbe: u32): void {
    memory.fill(changetype<usize>(this), 0, HOLDING_SIZE);
    this.name = name;
    this.nextProbe = nextProbe;
  }

  /** Whether an upstream is known to hold the key. */
  isHeldBy(upstream: i32): bool {
    return isSet(this.set(HELD), upstream);
  }

  /** How often an upstream has declined since it last accepted, up to MAX_DECLINES. */
  declinesOf(upstream: i32): u32 {
    const low: u32 = isSet(this.set(LOW), upstream) ? 1 : 0;
    return isSet(this.set(HIGH), upstream) ? low | 2 : low;
  }

  /** Number of upstreams that hold the key. */
  get holders(): i32 {
    const held = this.set(HELD);
    let count: u64 = 0;
    for (let i: usize = 0; i < SET_SIZE; i += 8) count += popcnt(load<u64>(held + i));
    return <i32>count;
  }

  /** An upstream that holds the key, -1 if there is none. */
  get firstHolder(): i32 {
    const held = this.set(HELD);
    for (let i: usize = 0; i < SET_SIZE; i += 8) {
      const bits = load<u64>(held + i);
      if (bits != 0) return <i32>(i << 3) + <i32>ctz(bits);
    }
    return -1;
  }

  hold(upstream: i32): void {
    add(this.set(HELD), upstream);
    this.count(upstream, 0);
  }

  letGo(upstream: i32): void {
    remove(this.set(HELD), upstream);
  }

  decline(upstream: i32): void {
    this.count(upstream, min(this.declinesOf(upstream) + 1, MAX_DECLINES));
  }

  private count(upstream: i32, declines: u32): void {
    put(this.set(LOW), upstream, declines & 1);
    put(this.set(HIGH), upstream, declines & 2);
  }

  private set(number: usize): usize {
    return changetype<usize>(this) + SETS_OFFSET + number * SET_SIZE;
  }
}

function isSet(bits: usize, index: i32): bool {
  return ((load<u8>(bits + <usize>(index >> 3)) >> (<u8>(index & 7))) & 1) != 0;
}

/** Adds the upstream if the value is not 0, else removes it. */
function put(bits: usize, index: i32, value: u32): void {
  if (value != 0) add(bits, index);
  else remove(bits, index);
}

function add(bits: usize, index: i32): void {
  const place = bits + <usize>(index >> 3);
  store<u8>(place, load<u8>(place) | maskOf(index));
}

function remove(bits: usize, index: i32): void {
  const place = bits + <usize>(index >> 3);
  store<u8>(place, load<u8>(place) & ~maskOf(index));
}


@inline
function maskOf(index: i32): u8 {
  const shift = <u8>(index & 7);
  return (<u8>1) << shift;
}

export const HOLDING_SIZE: usize = 128;
export const MAX_DECLINES: u32 = 3;
const SETS_OFFSET: usize = 32;
const SET_SIZE: usize = 32;
const HELD: usize = 0;
const LOW: usize = 1;
const HIGH: usize = 2;
