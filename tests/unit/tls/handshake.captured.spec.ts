import { Event } from "../../../assembly/tls/handshake";
import { liveHandshakeBytes } from "../../../assembly/tls/memory";
import { Bytes, hexOf } from "../support/hello_bytes";
import { Exchange } from "../support/hello_exchange";
import { Watch, acceptedName, unsureName } from "../support/hello_watch";

const exchanges = Exchange.captured();

/** What the client said, in the observer's terms. */
function reported(exchange: Exchange): string {
  const kind = exchange.said("kind");
  if (kind == "failed") return "failed";
  return kind + " " + exchange.said("version") + " " + exchange.said("cipher");
}

function observed(watch: Watch): string {
  if (watch.last == Event.Failed) return "failed";
  if (watch.last != Event.Complete) return watch.facts();
  const seen = watch.seen;
  const kind = seen.resumed ? acceptedName(seen.acceptedKind) : "full";
  return kind + " " + seen.answer.version.toString(16) + " " + seen.answer.cipher.toString(16);
}

describe("a captured exchange", () => {
  it("is there for every peer", () => {
    expect(exchanges.length).toBeGreaterThan(120);
    for (let i = 0; i < exchanges.length; i++) expect(exchanges[i].length).toBeGreaterThan(100);
  });

  it("is seen as its client saw it: outcome, version, cipher suite", () => {
    for (let i = 0; i < exchanges.length; i++) {
      const watch = exchanges[i].watch();
      expect(exchanges[i].name + ": " + observed(watch)).toBe(exchanges[i].name + ": " + reported(exchanges[i]));
      watch.free();
    }
  });

  it("shows the session ID, ticket and lifetime hint that its client was given", () => {
    let compared = 0;
    for (let i = 0; i < exchanges.length; i++) {
      const exchange = exchanges[i];
      const watch = exchange.watch();
      const seen = watch.seen;
      if (exchange.said("id") != "") {
        expect(hexOf(seen.issuedId, seen.issuedIdLength)).toBe(exchange.said("id"));
        compared++;
      }
      if (exchange.said("ticket") != "") {
        expect(hexOf(seen.tickets.ticket.hash, 32)).toBe(exchange.said("ticket"));
        compared++;
      }
      if (exchange.said("hint") != "") expect(seen.tickets.lifetimeHintSeconds.toString()).toBe(exchange.said("hint"));
      watch.free();
    }
    expect(compared).toBeGreaterThan(5);
  });

  it("shows the server name that its client sends, of an encrypted hello the public one", () => {
    for (let i = 0; i < exchanges.length; i++) {
      const watch = exchanges[i].watch();
      const name = exchanges[i].said("sni");
      const expected = Bytes.text(name == "" ? "shop.example" : name);
      expect(hexOf(watch.seen.offers.sni, watch.seen.offers.sniLength)).toBe(hexOf(expected.at, expected.length));
      watch.free();
    }
  });

  it("offers nothing that is unsure, and accepts nothing that is not followed", () => {
    for (let i = 0; i < exchanges.length; i++) {
      const watch = exchanges[i].watch();
      expect(unsureName(watch.seen.offers.unsure)).toBe("nothing", exchanges[i].name);
      expect(watch.seen.acceptedUnfollowed).toBe(false, exchanges[i].name);
      watch.free();
    }
  });

  it("gives the same answer byte by byte", () => {
    for (let i = 0; i < exchanges.length; i++) {
      const whole = exchanges[i].watch();
      const pieces = exchanges[i].inPieces(1);
      expect(pieces.facts()).toBe(whole.facts());
      whole.free();
      pieces.free();
    }
  });

  it("gives the same answer cut at any byte", () => {
    for (let i = 0; i < exchanges.length; i++) {
      const whole = exchanges[i].watch().close();
      let differing = -1;
      for (let cut = 1; cut < exchanges[i].length && differing < 0; cut++) {
        if (exchanges[i].cutAt(cut).close() != whole) differing = cut;
      }
      expect(differing).toBe(-1, exchanges[i].name + " differs when cut at this byte");
    }
  });

  it("never completes before its last needed byte, nor fails, when truncated at any byte", () => {
    for (let i = 0; i < exchanges.length; i++) {
      const whole = exchanges[i].watch().close();
      let ended = exchanges[i].length;
      let wrong = -1;
      for (let length = 0; length < exchanges[i].length; length++) {
        const watch = exchanges[i].watchTo(length);
        if (watch.last >= Event.Complete) {
          // From here on nothing may change any more.
          if (ended == exchanges[i].length) ended = length;
          if (watch.fingerprint() != whole) wrong = length;
        } else if (length > ended) {
          wrong = length;
        }
        watch.free();
      }
      expect(wrong).toBe(-1, exchanges[i].name + " ends wrongly when truncated at this byte");
      expect(ended).toBeGreaterThan(100);
    }
  });

  it("leaves no memory behind", () => {
    expect(liveHandshakeBytes()).toBe(0);
  });
});
