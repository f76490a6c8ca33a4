/**
 * Selects the sessions of a listing, held or removed ones, by kind, server name (without regard to ASCII case) and upstream.
 * All that are given must match.
 */
import { Selection } from "../../session/record/selection";
import { Session } from "../../session/record/session";
import { AskedServerName, AskedUpstream } from "./asked";
import { kindOf, KINDS_EXPECTED } from "./value_names";
import { Query } from "../http/query";

export class SessionFilter {
  /** Empty if the query is right; else the fault. */
  error: string = "";
  /** Differs from the text of any other filter. */
  binding: string = "";
  private readonly selection: Selection = new Selection();

  constructor(query: Query) {
    const kind = query.value("kind");
    const upstream = new AskedUpstream(query.value("upstream"));
    const sni = new AskedServerName(query.value("sni"));
    let binding = "";
    if (kind !== null) {
      this.selection.kind = kindOf(kind);
      if (this.selection.kind == 0) this.error = "kind: " + KINDS_EXPECTED;
      binding += "kind=" + kind;
    }
    this.selection.upstream = upstream.bytes;
    if (upstream.error.length > 0) this.error = upstream.error;
    if (upstream.text.length > 0) binding += "&upstream=" + upstream.text;
    this.selection.sni = sni.bytes;
    if (sni.error.length > 0) this.error = sni.error;
    // The only free text comes last, so it cannot look like another filter.
    if (sni.bytes.byteLength > 0) binding += "&sni=" + String.UTF8.decode(sni.bytes);
    this.binding = binding;
  }

  /** Whether it selects all sessions. */
  get isAll(): bool {
    return this.selection.isAll;
  }

  matches(session: Session): bool {
    return this.selection.matches(session);
  }
}
