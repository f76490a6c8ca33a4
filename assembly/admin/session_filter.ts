/** Which sessions a listing shows: those of a kind, a server name (without regard to ASCII case), an upstream, or several of these. */
import { Known, Session } from "../session/session";
import { canonicalAddress } from "../bytes/address";
import { KIND_NAMES, kindOf } from "./names";
import { Query } from "./query";
import { lower, lowerCase } from "./server_name";

export class SessionFilter {
  /** Empty, or what is wrong with the query. */
  error: string = "";
  /** What distinguishes this filter from others. */
  binding: string = "";
  /** 0: any. */
  private kind: u8 = 0;
  private sni: ArrayBuffer = new ArrayBuffer(0);
  private upstream: ArrayBuffer = new ArrayBuffer(0);

  constructor(query: Query) {
    const kind = query.value("kind");
    const sni = query.value("sni");
    const upstream = query.value("upstream");
    let binding = "";
    if (kind !== null) {
      this.kind = kindOf(kind);
      if (this.kind == 0) this.error = "kind: expected one of " + KIND_NAMES;
      binding += "kind=" + kind;
    }
    if (upstream !== null) {
      const address = canonicalAddress(upstream);
      this.upstream = String.UTF8.encode(address);
      if (address.length == 0) this.error = "upstream: expected IPv4:port or [IPv6]:port";
      binding += "&upstream=" + address;
    }
    // The one free text stands last, so that it cannot look like another filter.
    if (sni !== null) {
      this.sni = String.UTF8.encode(sni);
      lowerCase(changetype<usize>(this.sni), this.sni.byteLength);
      if (sni.length == 0) this.error = "sni: expected a server name; leave it out for any";
      binding += "&sni=" + String.UTF8.decode(this.sni);
    }
    this.binding = binding;
  }

  matches(session: Session): bool {
    if (this.kind != 0 && session.kind != this.kind) return false;
    const upstream = changetype<usize>(this.upstream);
    const upstreamLength = this.upstream.byteLength;
    if (upstreamLength > 0) {
      if (!session.knows(Known.UPSTREAM) || session.upstreamLength != upstreamLength) return false;
      if (memory.compare(session.upstream, upstream, upstreamLength) != 0) return false;
    }
    return this.sni.byteLength == 0 || (session.knows(Known.SNI) && this.sniEquals(session.sni, session.sniLength));
  }

  private sniEquals(sni: usize, length: i32): bool {
    if (length != this.sni.byteLength) return false;
    const wanted = changetype<usize>(this.sni);
    for (let i = 0; i < length; i++) {
      if (lower(load<u8>(sni + i)) != load<u8>(wanted + i)) return false;
    }
    return true;
  }
}
