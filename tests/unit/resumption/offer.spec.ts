import { AcceptedHandle } from "../../../assembly/resumption/accepted_handle";
import { Offer } from "../../../assembly/resumption/offer";
import { Kind } from "../../../assembly/session/record/session";
import { ClientHelloBuilder, ServerHelloBuilder, changeCipherSpec } from "../support/hello_builder";
import { Bytes, hexOf } from "../support/hello_bytes";
import { Watch } from "../support/hello_watch";

const id = Bytes.counting(32, 0x30);
const ticket = Bytes.counting(64);
const ticketHash = "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108";
const offer = new Offer();

function hello(): ClientHelloBuilder {
  return new ClientHelloBuilder();
}

function hello13(): ClientHelloBuilder {
  return hello().versions(Bytes.of("0304 0303"));
}

function watch(client: ClientHelloBuilder): Watch {
  return new Watch().client(client.record());
}

/** A server of TLS 1.2 has echoed the session ID and resumed. */
function resumed(client: ClientHelloBuilder): Watch {
  return watch(client).server(new ServerHelloBuilder().sessionId(id).record()).server(changeCipherSpec());
}

describe("the first offer of a client", () => {
  it("is its first PSK, whatever else it offers", () => {
    const seen = watch(
      hello13()
        .sessionId(id)
        .ticket(Bytes.counting(40))
        .psk([ticket, Bytes.counting(50)]),
    ).seen;
    expect(offer.firstOf(seen).kind).toBe(Kind.PSK);
    expect(hexOf(offer.id, offer.idLength)).toBe(ticketHash);
    expect(hexOf(offer.key, 16)).toBe("000102030405060708090a0b0c0d0e0f");
    expect(offer.certain).toBe(true);
  });

  it("is its ticket before its session ID", () => {
    const seen = watch(hello().sessionId(id).ticket(ticket)).seen;
    expect(offer.firstOf(seen).kind).toBe(Kind.TICKET);
    expect(hexOf(offer.id, offer.idLength)).toBe(ticketHash);
    expect(offer.certain).toBe(true);
  });

  it("is its session ID, which has no key name", () => {
    const seen = watch(hello().sessionId(id)).seen;
    expect(offer.firstOf(seen).kind).toBe(Kind.ID);
    expect(hexOf(offer.id, offer.idLength)).toBe(hexOf(id.at, 32));
    expect(offer.key).toBe(0);
    expect(offer.certain).toBe(true);
  });

  it("has an ID of length 0 if it offers nothing", () => {
    offer.firstOf(watch(hello()).seen);
    expect(offer.id).toBe(0);
    expect(offer.idLength).toBe(0);
  });

  it("to a server of TLS 1.2 is never a PSK", () => {
    const seen = watch(hello13().sessionId(id).psk([ticket])).seen;
    expect(offer.legacyOf(seen).kind).toBe(Kind.ID);
  });
});

describe("a session ID that may be made up", () => {
  it("is one beside TLS 1.3", () => {
    expect(offer.firstOf(watch(hello13().sessionId(id)).seen).certain).toBe(false);
  });

  it("is one in a hello that asks for a ticket, if the server promises one", () => {
    const asking = watch(hello().sessionId(id).ticket(new Bytes()));
    expect(offer.firstOf(asking.seen).certain).toBe(true);
    asking.server(new ServerHelloBuilder().extension(0x23, new Bytes()).record());
    expect(offer.firstOf(asking.seen).certain).toBe(false);
  });
});

describe("the accepted offer", () => {
  it("is the PSK that the server selected", () => {
    const client = watch(hello13().psk([Bytes.counting(50), ticket]));
    client.server(new ServerHelloBuilder().tls13().psk(1).record());
    expect(offer.acceptedOf(client.seen, AcceptedHandle.Psk).kind).toBe(Kind.PSK);
    expect(hexOf(offer.id, offer.idLength)).toBe(ticketHash);
  });

  it("is the ticket, unless the session ID beside it explains the resumption", () => {
    const seen = resumed(hello().sessionId(id).ticket(ticket)).seen;
    expect(offer.acceptedOf(seen, AcceptedHandle.TicketForSure).kind).toBe(Kind.TICKET);
    expect(offer.acceptedOf(seen, AcceptedHandle.Untold).kind).toBe(Kind.TICKET);
    expect(offer.acceptedOf(seen, AcceptedHandle.SessionId).kind).toBe(Kind.ID);
    expect(hexOf(offer.id, offer.idLength)).toBe(hexOf(id.at, 32));
  });
});
