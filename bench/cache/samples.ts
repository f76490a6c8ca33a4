/**
 * Sessions by number, as many as wanted and always the same: 32-byte IDs that look random, 16 server names of 20 bytes,
 * 8 upstreams of 15 bytes. What a number stands for is computed, not kept.
 */
import { Kind, Known, Session } from "../../assembly/session/record/session";

/** The sample of a number. Valid until the next call. */
export function sample(number: u32): Session {
  const session = SAMPLE;
  session.clear();
  session.id = sampleId(number);
  session.idLength = ID_LENGTH;
  session.kind = Kind.ID;
  session.protocol = 0x0303;
  session.cipher = 0xc02c;
  store<u8>(SNI + 5, <u8>(0x30 + ((number >> 3) & 1)));
  store<u8>(SNI + 6, <u8>(0x30 + (number & 7)));
  session.sni = SNI;
  session.sniLength = SNI_LENGTH;
  store<u8>(UPSTREAM + 9, <u8>(0x31 + (number & 7)));
  session.upstream = UPSTREAM;
  session.upstreamLength = UPSTREAM_LENGTH;
  session.known = Known.KIND | Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM;
  return session;
}

/** The ID of a number, `ID_LENGTH` bytes. Valid until the next call. */
export function sampleId(number: u32): usize {
  for (let i: usize = 0; i < 4; i++) store<u64>(ID + (i << 3), splitMix64(((<u64>number) << 2) | (<u64>i)));
  return ID;
}

/** SplitMix64 (Steele, Lea, Flood 2014). */
export function splitMix64(number: u64): u64 {
  let z = (number + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

function textOf(text: string): usize {
  const start = heap.alloc(text.length);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, start);
  return start;
}

export const ID_LENGTH: i32 = 32;
const SNI_LENGTH: i32 = 20;
const UPSTREAM_LENGTH: i32 = 15;
const ID: usize = memory.data(32, 8);
const SNI: usize = textOf("shop-00.example.test");
const UPSTREAM: usize = textOf("10.20.30.1:8443");
const SAMPLE: Session = new Session();
