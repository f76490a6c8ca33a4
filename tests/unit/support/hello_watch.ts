import { Accepted, Direction, Event, Handshake } from "../../../assembly/tls/handshake";
import { Unsure } from "../../../assembly/tls/hello/offers";
import { parseErrorName } from "../../../assembly/tls/wire/parse_error";
import { Bytes, hexOf } from "./hello_bytes";

/** One connection under watch: feeds both directions as a filter does and keeps what happened as text. */
export class Watch {
  private handshake: Handshake;
  /** Events in their order, three bits each, the last lowest. */
  private trail: u64 = 0;
  /** The event that came last. */
  last: Event = Event.NeedMore;
  /** The client's bytes are fed step by step. */
  steps: bool = false;
  /** A feed took nothing or more than it was given. */
  miscounted: bool = false;

  constructor() {
    this.handshake = changetype<Handshake>(Handshake.create());
  }

  get seen(): Handshake {
    return this.handshake;
  }

  get error(): string {
    return parseErrorName(this.handshake.error);
  }

  client(bytes: Bytes): Watch {
    return this.feed(Direction.Downstream, bytes.at, bytes.length);
  }

  server(bytes: Bytes): Watch {
    return this.feed(Direction.Upstream, bytes.at, bytes.length);
  }

  /** Both in pieces of `size` bytes. */
  clientIn(size: i32, bytes: Bytes): Watch {
    return this.pieces(Direction.Downstream, bytes.at, bytes.length, size);
  }

  serverIn(size: i32, bytes: Bytes): Watch {
    return this.pieces(Direction.Upstream, bytes.at, bytes.length, size);
  }

  pieces(direction: i32, data: usize, length: i32, size: i32): Watch {
    for (let at = 0; at < length; at += size) this.feed(direction, data + at, min(size, length - at));
    return this;
  }

  feed(direction: i32, data: usize, length: i32): Watch {
    let at = 0;
    while (at < length && this.last < Event.Complete) {
      const stepping = this.steps && direction == Direction.Downstream;
      const event = stepping
        ? this.handshake.feedStep(data + at, length - at)
        : this.handshake.feed(direction, data + at, length - at);
      if (this.handshake.consumed < 1 || this.handshake.consumed > length - at) {
        this.miscounted = true;
        return this;
      }
      at += this.handshake.consumed;
      if (event == Event.NeedMore) continue;
      this.last = event;
      this.trail = (this.trail << 3) | (<u64>event);
    }
    return this;
  }

  /** Names of the events in their order, separated by spaces. */
  get events(): string {
    let text = "";
    for (let trail = this.trail; trail > 0; trail >>= 3) {
      text = eventName(<i32>(trail & 7)) + (text.length > 0 ? " " + text : "");
    }
    return text;
  }

  /** All that `facts` says, as a number: for comparing by the thousand. */
  fingerprint(): u64 {
    const h = this.handshake;
    let print = mix(this.trail, this.miscounted ? 1 : 0);
    print = mix(print, h.error);
    print = mixBytes(mix(print, h.offers.unsure), h.offers.sni, h.offers.sniLength);
    print = mixBytes(mix(print, h.offers.tls13 ? 1 : 0), h.offers.sessionId, h.offers.sessionIdLength);
    print = mixBytes(mixBytes(print, h.offers.ticket.hash, 32), h.offers.ticket.key, 16);
    print = mix(print, h.offers.pskCount);
    for (let i = 0; i < 4; i++) print = mixBytes(mixBytes(print, h.offers.pskHash(i), 32), h.offers.pskKey(i), 16);
    print = mix(print, h.offers.furtherCount);
    for (let i = 0; i < h.offers.furtherCount; i++)
      print = mixBytes(mix(print, h.offers.ownerOf(i)), h.offers.further(i).hash, 32);
    print = mix(mix(print, h.offers.hasIdBesideTicket ? 1 : 0), h.offers.encryptedHello ? 1 : 0);
    print = mix(mix(mix(print, h.offers.earlyData ? 1 : 0), h.answer.version), h.answer.cipher);
    print = mix(mix(mix(print, h.undecided ? 1 : 0), h.decided ? 1 : 0), h.retried ? 1 : 0);
    print = mix(mix(print, h.acceptedUnfollowed ? 1 : 0), h.acceptedUnseen ? 1 : 0);
    print = mix(mix(mix(print, h.acceptedKind), h.acceptedPskIndex), h.resumed ? 1 : 0);
    print = mixBytes(print, h.issuedId, h.issuedIdLength);
    print = mixBytes(mixBytes(print, h.tickets.ticket.hash, 32), h.tickets.ticket.key, 16);
    return mix(print, h.tickets.lifetimeHintSeconds);
  }

  /** All that can be read of the handshake, as one line. */
  facts(): string {
    const h = this.handshake;
    let text = this.events + " error=" + this.error;
    if (this.miscounted) text += " MISCOUNTED";
    text += " sni=" + (h.offers.sniLength < 0 ? "none" : hexOf(h.offers.sni, h.offers.sniLength));
    text += " unsure=" + unsureName(h.offers.unsure);
    text += " id=" + hexOf(h.offers.sessionId, h.offers.sessionIdLength) + " 13=" + h.offers.tls13.toString();
    text += " ticket=" + hexOf(h.offers.ticket.hash, 32) + "/" + hexOf(h.offers.ticket.key, 16);
    text += " psks=" + h.offers.pskCount.toString();
    for (let i = 0; i < 4; i++) text += " " + hexOf(h.offers.pskHash(i), 32) + "/" + hexOf(h.offers.pskKey(i), 16);
    for (let i = 0; i < h.offers.furtherCount; i++) {
      text += " further=" + h.offers.ownerOf(i).toString() + "/" + hexOf(h.offers.further(i).hash, 32);
    }
    text += " early=" + h.offers.earlyData.toString();
    text += " version=" + h.answer.version.toString(16) + " cipher=" + h.answer.cipher.toString(16);
    text += " accepted=" + acceptedName(h.acceptedKind) + "/" + h.acceptedPskIndex.toString();
    if (h.acceptedUnfollowed) text += " unfollowed";
    if (h.undecided) text += " undecided";
    text += " resumed=" + h.resumed.toString() + " issued=" + hexOf(h.issuedId, h.issuedIdLength);
    text += " " + hexOf(h.tickets.ticket.hash, 32) + "/" + hexOf(h.tickets.ticket.key, 16);
    return text + " hint=" + h.tickets.lifetimeHintSeconds.toString();
  }

  /** The fingerprint, with the memory given back. */
  close(): u64 {
    const print = this.fingerprint();
    this.free();
    return print;
  }

  free(): void {
    this.handshake.free();
  }
}

function mix(print: u64, value: i64): u64 {
  const mixed = (rotl<u64>(print, 5) ^ (<u64>value)) * 0x9e3779b97f4a7c15;
  return mixed ^ (mixed >> 29);
}

function mixBytes(print: u64, at: usize, length: i32): u64 {
  let mixed = mix(print, at ? length : -1);
  if (at == 0) return mixed;
  for (let i = 0; i < length; i++) mixed = mix(mixed, load<u8>(at + i));
  return mixed;
}

export function eventName(event: Event): string {
  switch (event) {
    case Event.ClientHello:
      return "ClientHello";
    case Event.ServerHello:
      return "ServerHello";
    case Event.Unfollowed:
      return "Unfollowed";
    case Event.Complete:
      return "Complete";
    case Event.NotTls:
      return "NotTls";
    case Event.Malformed:
      return "Malformed";
    case Event.Failed:
      return "Failed";
    default:
      return "NeedMore";
  }
}

export function acceptedName(kind: i32): string {
  if (kind == Accepted.SessionId) return "id";
  if (kind == Accepted.Ticket) return "ticket";
  return kind == Accepted.Psk ? "psk" : "none";
}

/** "nothing", "all", or what of legacy, psk and name. */
export function unsureName(unsure: u32): string {
  if (unsure == 0) return "nothing";
  if (unsure == Unsure.ALL) return "all";
  const names: string[] = [];
  if (unsure & Unsure.LEGACY) names.push("legacy");
  if (unsure & Unsure.PSK) names.push("psk");
  if (unsure & Unsure.NAME) names.push("name");
  return names.join(" ");
}
