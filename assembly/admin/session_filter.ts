/** Which sessions a listing shows: those of a kind, a server name (without regard to ASCII case), an upstream, or several of these. */
import { canonicalAddress } from "../bytes/address";
import { lowerCase } from "../bytes/ascii";
import { Selection } from "../session/selection";
import { Session } from "../session/session";
import { KIND_NAMES, kindOf } from "./names";
import { Query } from "./query";

export class SessionFilter {
  /** Empty, or what is wrong with the query. */
  error: string = "";
  /** What distinguishes this filter from others. */
  binding: string = "";
  private readonly selection: Selection = new Selection();

  constructor(query: Query) {
    const kind = query.value("kind");
    const sni = query.value("sni");
    const upstream = query.value("upstream");
    let binding = "";
    if (kind !== null) {
      this.selection.kind = kindOf(kind);
      if (this.selection.kind == 0) this.error = "kind: expected one of " + KIND_NAMES;
      binding += "kind=" + kind;
    }
    if (upstream !== null) {
      const address = canonicalAddress(upstream);
      this.selection.upstream = String.UTF8.encode(address);
      if (address.length == 0) this.error = "upstream: expected IPv4:port or [IPv6]:port";
      binding += "&upstream=" + address;
    }
    // The one free text stands last, so that it cannot look like another filter.
    if (sni !== null) {
      const name = String.UTF8.encode(sni);
      lowerCase(changetype<usize>(name), name.byteLength);
      this.selection.sni = name;
      if (sni.length == 0) this.error = "sni: expected a server name; leave it out for any";
      binding += "&sni=" + String.UTF8.decode(name);
    }
    this.binding = binding;
  }

  matches(session: Session): bool {
    return this.selection.matches(session);
  }
}
