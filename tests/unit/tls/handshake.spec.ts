import { Direction, Event, Handshake } from "../../../assembly/tls/handshake";
import { Bytes, hexOf } from "../support/hello_bytes";
import {
  ClientHelloBuilder,
  ServerHelloBuilder,
  alert,
  applicationData,
  changeCipherSpec,
  clientKeyExchange,
  message,
  newSessionTicket,
  record,
  records,
  sealedHandshake,
  serverKeyExchange,
} from "../support/hello_builder";
import { Watch, acceptedName } from "../support/hello_watch";

const id = Bytes.counting(32, 0x30);
const otherId = Bytes.counting(32, 0x70);
const ticket = Bytes.counting(64);
const ticketHash = "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108";

function hello(): ClientHelloBuilder {
  return new ClientHelloBuilder();
}

/** A hello of TLS 1.3 with a PSK. */
function hello13(): ClientHelloBuilder {
  return hello().sessionId(otherId).versions(Bytes.of("0304 0303"));
}

function answer(): ServerHelloBuilder {
  return new ServerHelloBuilder();
}

/** A change of cipher spec and a Finished. */
function finish(): Bytes {
  return changeCipherSpec().append(sealedHandshake());
}

/** The server's first flight of a full handshake of TLS 1.2, with one record for all messages. */
function flight(hello: ServerHelloBuilder): Bytes {
  return record(0x16, hello.message().append(serverKeyExchange()));
}

/** A full handshake of TLS 1.2 up to the client's Finished. */
function fullTo(client: ClientHelloBuilder, server: ServerHelloBuilder): Watch {
  return new Watch()
    .client(client.record())
    .server(flight(server))
    .client(record(0x16, clientKeyExchange()).append(finish()));
}

/** How it resumed, or "full". */
function kind(watch: Watch): string {
  return watch.seen.resumed ? acceptedName(watch.seen.acceptedKind) : "full";
}

/** The error that these client bytes give at the very start. */
function clientError(bytes: Bytes): string {
  const watch = new Watch().client(bytes);
  const text = watch.events == "Malformed" ? watch.error : watch.events;
  watch.free();
  return text;
}

/** The error that these server bytes give behind a ClientHello. */
function serverError(bytes: Bytes): string {
  const watch = new Watch()
    .client(
      hello13()
        .psk([Bytes.counting(40)])
        .record(),
    )
    .server(bytes);
  const text = watch.last == Event.Malformed ? watch.error : watch.events;
  watch.free();
  return text;
}

describe("a full handshake of TLS 1.2", () => {
  it("completes with the server's Finished and issues the session ID of its ServerHello", () => {
    const watch = fullTo(hello().sni("shop.example"), answer().sessionId(id));
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.issuedIdLength).toBe(0);
    watch.server(changeCipherSpec());
    expect(watch.events).toBe("ClientHello ServerHello");
    const finished = sealedHandshake();
    watch.server(finished.slice(0, finished.length - 1));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.server(finished.slice(finished.length - 1, finished.length));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("full");
    expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(id.at, 32));
    expect(watch.seen.version).toBe(0x0303);
    expect(watch.seen.cipher).toBe(0xc02f);
    watch.free();
  });

  it("issues the ticket that came before its last flight", () => {
    const watch = fullTo(hello().ticket(new Bytes()), answer());
    watch.server(record(0x16, newSessionTicket(7200, ticket)));
    watch.server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.issuedIdLength).toBe(0);
    expect(watch.seen.issuedId).toBe(0);
    expect(watch.seen.issuedTicket).toBe(true);
    expect(hexOf(watch.seen.issuedTicketHash, 32)).toBe(ticketHash);
    expect(hexOf(watch.seen.issuedTicketKey, 16)).toBe("000102030405060708090a0b0c0d0e0f");
    expect(watch.seen.issuedTicketLifetimeHint).toBe(7200);
    watch.free();
  });

  it("issues no ticket where the server's is empty", () => {
    const watch = fullTo(hello().ticket(new Bytes()), answer());
    watch.server(record(0x16, newSessionTicket(7200, new Bytes()))).server(finish());
    expect(watch.last).toBe(Event.Complete);
    expect(watch.seen.issuedTicket).toBe(false);
    watch.free();
  });

  it("is no resumption where the server echoes the session ID and yet exchanges keys", () => {
    const watch = fullTo(hello().sessionId(id), answer().sessionId(id));
    expect(acceptedName(watch.seen.acceptedKind)).toBe("id");
    watch.server(finish());
    expect(watch.last).toBe(Event.Complete);
    expect(kind(watch)).toBe("full");
    expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(id.at, 32));
    watch.free();
  });

  it("accepts nothing where the server answers with another session ID", () => {
    const watch = fullTo(hello().sessionId(id), answer().sessionId(otherId)).server(finish());
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(otherId.at, 32));
    watch.free();
  });

  it("passes over a false start", () => {
    const watch = fullTo(hello(), answer().sessionId(id)).client(applicationData(100)).server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("completes in SSL 3.0 and without any extensions", () => {
    const watch = fullTo(hello().noExtensions(), answer().version(0x0300).noExtensions().sessionId(id)).server(
      finish(),
    );
    expect(watch.last).toBe(Event.Complete);
    expect(watch.seen.version).toBe(0x0300);
    watch.free();
  });

  it("passes over messages that it does not know, and HelloRequests", () => {
    const watch = new Watch().server(record(0x16, Bytes.of("00 000000"))).client(hello().record());
    watch.server(record(0x16, Bytes.of("00 000000"))).server(flight(answer().sessionId(id)));
    watch.client(record(0x16, message(0x63, Bytes.counting(5)).append(clientKeyExchange())).append(finish()));
    watch.server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("passes over a HelloRequest in the middle of a split ClientHello", () => {
    const bytes = hello().sni("shop.example").record();
    const watch = new Watch().client(bytes.slice(0, 30)).server(record(0x16, Bytes.of("00 000000")));
    watch.client(bytes.slice(30, bytes.length));
    expect(watch.events).toBe("ClientHello");
    expect(watch.seen.sniLength).toBe(12);
    watch.free();
  });
});

describe("an abbreviated handshake of TLS 1.2", () => {
  it("completes with the client's Finished, resumed by session ID", () => {
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    expect(watch.seen.resumed).toBe(false);
    watch.server(finish());
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("id");
    expect(watch.seen.issuedIdLength).toBe(0);
    watch.free();
  });

  it("is resumed by the ticket where one was offered, and may renew it", () => {
    const watch = new Watch().client(hello().sessionId(id).ticket(Bytes.counting(40)).record());
    watch.server(record(0x16, answer().sessionId(id).message().append(newSessionTicket(60, ticket))));
    watch.server(finish()).client(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("ticket");
    expect(hexOf(watch.seen.issuedTicketHash, 32)).toBe(ticketHash);
    watch.free();
  });

  it("is resumed by a ticket that came without a session ID (RFC 5077 3.4)", () => {
    const watch = new Watch().client(hello().ticket(ticket).record()).server(answer().record());
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    watch.server(finish()).client(finish());
    expect(watch.last).toBe(Event.Complete);
    expect(kind(watch)).toBe("ticket");
    watch.free();
  });

  it("is resumed by session ID from a client that offers TLS 1.3 too", () => {
    const watch = new Watch().client(hello13().sessionId(id).ticket(new Bytes()).record());
    watch.server(answer().sessionId(id).record()).server(finish()).client(finish());
    expect(kind(watch)).toBe("id");
    watch.free();
  });

  it("is malformed where nothing was offered: nobody may leave out the exchange of keys", () => {
    const watch = new Watch().client(hello().record()).server(answer().sessionId(id).record()).server(finish());
    expect(watch.error).toBe("unexpected_record");
    watch.free();
  });
});

describe("a client's Finished that nobody reads", () => {
  it("is told from alerts by its length in an abbreviated handshake, once the server's has come", () => {
    const watch = new Watch().client(hello().sessionId(id).record());
    expect(watch.seen.completesUnread(200)).toBe(false);
    watch.server(answer().sessionId(id).record());
    expect(watch.seen.completesUnread(200)).toBe(false);
    watch.server(finish());
    expect(watch.seen.completesUnread(7)).toBe(false, "an alert");
    expect(watch.seen.completesUnread(26)).toBe(false, "three alerts, or a change of cipher spec alone");
    expect(watch.seen.resumed).toBe(false);
    expect(watch.seen.completesUnread(finish().length)).toBe(true);
    expect(watch.seen.completed).toBe(true);
    expect(watch.seen.resumed).toBe(true);
    expect(watch.seen.completesUnread(finish().length)).toBe(false, "it is complete");
    watch.free();
  });

  it("is read where it comes in pieces", () => {
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    watch.server(finish());
    const whole = finish();
    watch.client(whole.slice(0, 3));
    expect(watch.seen.completesUnread(whole.length - 3)).toBe(false, "in the middle of a header");
    watch.client(whole.slice(3, 6));
    expect(watch.seen.completesUnread(whole.length - 6)).toBe(false, "behind the change of cipher spec");
    expect(watch.client(whole.slice(6, whole.length)).last).toBe(Event.Complete);
    watch.free();
  });

  it("is told from alerts by its length in TLS 1.3", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().sessionId(otherId).record());
    expect(watch.seen.completesUnread(57)).toBe(false, "a sealed alert behind a change of cipher spec has 30 bytes");
    expect(watch.seen.completesUnread(58)).toBe(true);
    expect(watch.seen.completed).toBe(true);
    watch.free();
  });

  it("is read in a full handshake of TLS 1.2, and where early data was offered", () => {
    const full = new Watch().client(hello().record()).server(flight(answer()));
    expect(full.seen.completesUnread(200)).toBe(false);
    full.free();
    const early = new Watch()
      .client(hello13().earlyData().record())
      .server(answer().tls13().sessionId(otherId).record());
    expect(early.seen.completesUnread(200)).toBe(false);
    early.free();
  });
});

describe("the order of TLS 1.2", () => {
  it("lets no side change its cipher spec out of turn", () => {
    const early = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    expect(early.client(changeCipherSpec()).error).toBe("unexpected_record");
    early.free();
    const server = new Watch().client(hello().record()).server(flight(answer()));
    expect(server.server(changeCipherSpec()).error).toBe("unexpected_record");
    server.free();
    const twice = fullTo(hello(), answer());
    expect(twice.client(changeCipherSpec()).error).toBe("unexpected_record");
    twice.free();
  });

  it("lets the server finish only after the client has", () => {
    const watch = new Watch().client(hello().record()).server(flight(answer()));
    watch.client(record(0x16, clientKeyExchange()).append(changeCipherSpec()));
    expect(watch.server(changeCipherSpec()).error).toBe("unexpected_record");
    watch.free();
  });

  it("knows no second hello, and no application data before a Finished", () => {
    const client = new Watch().client(hello().record()).server(flight(answer())).client(hello().record());
    expect(client.error).toBe("unexpected_message");
    client.free();
    const server = new Watch().client(hello().record()).server(flight(answer())).server(answer().record());
    expect(server.error).toBe("unexpected_message");
    server.free();
    const data = new Watch().client(hello().record()).server(flight(answer())).client(applicationData(60));
    expect(data.error).toBe("unexpected_record");
    data.free();
  });
});

describe("application data of a server in TLS 1.2", () => {
  it("may follow its Finished and nothing else", () => {
    const early = new Watch().client(hello().record()).server(flight(answer()));
    expect(early.server(applicationData(60)).error).toBe("unexpected_record");
    early.free();
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    watch.server(finish()).server(applicationData(60)).client(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });
});

describe("a handshake of TLS 1.3", () => {
  it("completes with the first client record that is long enough for a Finished", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().sessionId(otherId).record());
    expect(watch.seen.version).toBe(0x0304);
    watch.server(changeCipherSpec().append(applicationData(900))).client(changeCipherSpec());
    watch.client(applicationData(52));
    expect(watch.events).toBe("ClientHello ServerHello");
    const finished = applicationData(53);
    watch.client(finished.slice(0, finished.length - 1));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(finished.slice(finished.length - 1, finished.length));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("full");
    watch.free();
  });

  it("neither resumes nor issues by the session ID that is always echoed", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().sessionId(otherId).record());
    watch.client(applicationData(53));
    expect(watch.last).toBe(Event.Complete);
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    expect(watch.seen.resumed).toBe(false);
    expect(watch.seen.issuedIdLength).toBe(0);
    watch.free();
  });

  it("is resumed at the ServerHello that selects a PSK, and says which", () => {
    const watch = new Watch().client(
      hello13()
        .psk([Bytes.counting(40), ticket])
        .record(),
    );
    watch.server(answer().tls13().psk(1).record());
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.resumed).toBe(true);
    expect(kind(watch)).toBe("psk");
    expect(watch.seen.acceptedPskIndex).toBe(1);
    expect(hexOf(watch.seen.pskHash(1), 32)).toBe(ticketHash);
    expect(hexOf(watch.seen.pskKey(1), 16)).toBe("000102030405060708090a0b0c0d0e0f");
    watch.client(applicationData(69));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.resumed).toBe(true);
    watch.free();
  });

  it("answers 0 for PSK identities that were not offered or not hashed", () => {
    const identities: Array<Bytes> = [];
    for (let i = 0; i < 5; i++) identities.push(Bytes.counting(20 + i));
    const watch = new Watch().client(hello13().sni("shop.example".repeat(20)).psk(identities).record());
    expect(watch.seen.offeredPskCount).toBe(5);
    expect(watch.seen.pskHash(3)).not.toBe(0);
    expect(watch.seen.pskHash(4)).toBe(0);
    expect(watch.seen.pskHash(-1)).toBe(0);
    expect(watch.seen.pskKey(i32.MAX_VALUE)).toBe(0);
    watch.server(answer().tls13().psk(4).record());
    expect(watch.seen.acceptedPskIndex).toBe(4);
    watch.free();
  });

  it("is malformed where the server selects what was not offered", () => {
    expect(serverError(answer().tls13().psk(0).record())).toBe("ClientHello ServerHello");
    expect(serverError(answer().tls13().psk(1).record())).toBe("selected_identity");
  });

  it("takes the shorter Finished of the suite with the short tag", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().cipher(0x1305).record());
    watch.client(applicationData(44));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(45));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("passes over empty application data", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().record().append(applicationData(0)));
    watch.client(applicationData(0).append(applicationData(53)));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("knows no change of cipher spec of a server before its first hello", () => {
    expect(serverError(alert(1, 0x5a).append(changeCipherSpec()))).toBe("unexpected_record");
  });

  it("fails with a sealed alert of the client", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().record()).client(applicationData(19));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("knows no handshake messages in clear behind the ServerHello", () => {
    const hellos = answer()
      .tls13()
      .message()
      .append(message(0x0b, Bytes.counting(9)));
    expect(serverError(record(0x16, hellos))).toBe("unexpected_message");
    const request = answer().tls13().message().append(message(0x00, new Bytes()));
    expect(serverError(record(0x16, request))).toBe("unexpected_message");
    expect(serverError(answer().tls13().record().append(sealedHandshake()))).toBe("unexpected_record");
  });
});

describe("early data", () => {
  it("is passed over on both sides of the ServerHello: an exact Finished completes", () => {
    const watch = new Watch().client(hello13().earlyData().psk([ticket]).record());
    watch.client(changeCipherSpec().append(applicationData(1000)));
    watch.server(answer().tls13().psk(0).record());
    watch.client(applicationData(1000)).client(applicationData(19)).client(applicationData(21));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(53));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.offeredEarlyData).toBe(true);
    watch.free();
  });

  it("ends with a Finished of the length that the suite's hash gives", () => {
    const watch = new Watch().client(hello13().earlyData().psk([ticket]).record());
    watch.server(answer().tls13().cipher(0x1302).psk(0).record());
    watch.client(applicationData(53));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(69));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("does not keep a handshake open for ever", () => {
    const watch = new Watch().client(hello13().earlyData().psk([ticket]).record());
    watch.server(answer().tls13().psk(0).record());
    for (let i = 0; i < 64; i++) watch.client(applicationData(1000));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(1000));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });
});

describe("a HelloRetryRequest", () => {
  it("is no ServerHello: the second ClientHello's offers replace the first's", () => {
    const watch = new Watch();
    watch.client(
      hello13()
        .sni("one.example")
        .earlyData()
        .psk([Bytes.counting(40), Bytes.counting(41)])
        .record(),
    );
    expect(watch.seen.retried).toBe(false);
    watch.client(changeCipherSpec().append(applicationData(500)));
    watch.server(answer().tls13().retry().record().append(changeCipherSpec()));
    expect(watch.events).toBe("ClientHello");
    expect(watch.seen.retried).toBe(true);
    watch.client(applicationData(500).append(changeCipherSpec()));
    watch.client(hello13().sni("two.example").psk([ticket]).record());
    expect(watch.events).toBe("ClientHello ClientHello");
    expect(watch.seen.offeredPskCount).toBe(1);
    expect(watch.seen.offeredEarlyData).toBe(false);
    expect(hexOf(watch.seen.pskHash(0), 32)).toBe(ticketHash);
    expect(String.UTF8.decodeUnsafe(watch.seen.sni, watch.seen.sniLength)).toBe("two.example");
    watch.server(changeCipherSpec().append(answer().tls13().psk(0).record()));
    watch.client(applicationData(60));
    expect(watch.events).toBe("ClientHello ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("psk");
    watch.free();
  });

  it("comes at most once", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().retry().record());
    watch.client(hello13().record()).server(answer().tls13().retry().record());
    expect(watch.error).toBe("unexpected_message");
    watch.free();
  });

  it("must be answered before the ServerHello comes", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().retry().record());
    watch.server(answer().tls13().record());
    expect(watch.error).toBe("unexpected_message");
    watch.free();
  });
});

describe("records and messages", () => {
  it("may split a hello over records of any size, and over any pieces of those", () => {
    const bytes = hello13()
      .sni("shop.example")
      .ticket(ticket)
      .psk([Bytes.counting(300)])
      .message();
    const whole = new Watch().client(record(0x16, bytes));
    for (let fragment = 1; fragment < bytes.length; fragment++) {
      const split = records(0x16, bytes, fragment);
      const watch = new Watch().client(split);
      expect(watch.fingerprint()).toBe(whole.fingerprint());
      watch.free();
      const pieces = new Watch().clientIn(7, split);
      expect(pieces.fingerprint()).toBe(whole.fingerprint());
      pieces.free();
    }
    expect(whole.events).toBe("ClientHello");
    whole.free();
  });

  it("may split a server's flight over records of any size", () => {
    const all = answer().sessionId(id).message().append(serverKeyExchange());
    for (let fragment = 1; fragment < 120; fragment++) {
      const watch = new Watch().client(hello().record()).server(records(0x16, all, fragment));
      watch.client(records(0x16, clientKeyExchange(), fragment).append(finish()));
      watch.server(records(0x16, newSessionTicket(9, ticket), fragment).append(finish()));
      expect(watch.events).toBe("ClientHello ServerHello Complete");
      expect(hexOf(watch.seen.issuedTicketHash, 32)).toBe(ticketHash);
      watch.free();
    }
  });

  it("may come with any minor version in the record", () => {
    for (let minor = 0; minor < 256; minor += 51) {
      expect(
        clientError(
          hello()
            .record()
            .overwrite(2, <u8>minor),
        ),
      ).toBe("ClientHello");
    }
  });

  it("may hold a ClientHello as long as one can be, over several records, and a ServerHello of 16384 bytes", () => {
    const long = message(1, hello().extension(0xabcd, Bytes.counting(60000)).body());
    expect(long.length > 60000).toBeTruthy();
    expect(clientError(records(0x16, long, 16384))).toBe("ClientHello");
    expect(clientError(record(0x16, Bytes.of("01 020144 0303")))).toBe("");
    expect(clientError(record(0x16, Bytes.of("01 020145 0303")))).toBe("hello_too_long");
    expect(serverError(record(0x16, Bytes.of("02 004001 0303")))).toBe("hello_too_long");
  });

  it("are malformed empty, too long, of an unknown type or of another major version", () => {
    expect(clientError(Bytes.of("16 0301 0000"))).toBe("record_empty");
    expect(clientError(Bytes.of("16 0301 4000"))).toBe("");
    expect(clientError(Bytes.of("16 0301 4001"))).toBe("record_too_long");
    expect(clientError(hello().record().append(Bytes.of("18 0303 0001")))).toBe("ClientHello Malformed");
    expect(serverError(alert(1, 0x5a).append(Bytes.of("18 0303 0001")))).toBe("record_type");
    expect(serverError(alert(1, 0x5a).append(Bytes.of("16 0203 0001")))).toBe("record_version");
    expect(serverError(alert(1, 0x5a).append(Bytes.of("16 0303 0000")))).toBe("record_empty");
    expect(serverError(answer().tls13().record().append(Bytes.of("17 0303 4800")))).toBe("ClientHello ServerHello");
    expect(serverError(answer().tls13().record().append(Bytes.of("17 0303 4801")))).toBe("record_too_long");
  });

  it("are malformed where a change of cipher spec is not one byte of 1", () => {
    expect(serverError(alert(1, 0x5a).append(Bytes.of("14 0303 0002 0101")))).toBe("change_cipher_spec");
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    expect(watch.server(Bytes.of("14 0303 0001 02")).error).toBe("change_cipher_spec");
    watch.free();
  });

  it("are malformed where something comes between the pieces of a message", () => {
    const client = hello13().message();
    const split = record(0x16, client.slice(0, 20)).append(applicationData(30));
    expect(clientError(split)).toBe("unexpected_record");
    const retried = new Watch().client(hello13().record()).server(answer().tls13().retry().record());
    expect(retried.client(split).error).toBe("interleaved_message");
    retried.free();
  });

  it("are malformed where a client begins with another message, or goes on behind its hello", () => {
    expect(clientError(record(0x16, message(0x10, Bytes.counting(4))))).toBe("unexpected_message");
    const watch = new Watch().client(record(0x16, hello().message().append(Bytes.of("01 000001 00"))));
    expect(watch.events).toBe("ClientHello Malformed");
    expect(watch.error).toBe("unexpected_message");
    watch.free();
  });

  it("are malformed where a HelloRequest says something", () => {
    expect(serverError(record(0x16, message(0x00, Bytes.of("00"))))).toBe("unexpected_message");
  });

  it("are malformed where a hello is empty", () => {
    expect(clientError(record(0x16, Bytes.of("01 000000")))).toBe("client_hello_truncated");
    expect(serverError(record(0x16, Bytes.of("02 000000")))).toBe("server_hello_truncated");
  });

  it("are malformed where the server speaks TLS before the client", () => {
    const watch = new Watch().server(answer().record());
    expect(watch.error).toBe("unexpected_message");
    watch.free();
  });

  it("are malformed where a ticket does not fill its message", () => {
    const watch = fullTo(hello(), answer()).server(record(0x16, Bytes.of("04 000008 00000001 0001 aabb")));
    expect(watch.error).toBe("new_session_ticket");
    watch.free();
  });
});

describe("what is no TLS handshake", () => {
  it("is seen at the first byte that cannot be one", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    const http = Bytes.text("GET / HTTP/1.1\r\n\r\n");
    expect<i32>(handshake.feed(Direction.Downstream, http.at, http.length)).toBe(Event.NotTls);
    expect(handshake.consumed).toBe(1);
    handshake.free();
    const other = changetype<Handshake>(Handshake.create());
    const version = Bytes.of("16 02 00");
    expect<i32>(other.feed(Direction.Downstream, version.at, version.length)).toBe(Event.NotTls);
    expect(other.consumed).toBe(2);
    other.free();
  });

  it("is SSH, an SSLv2 hello, an alert, application data or a change of cipher spec from a client", () => {
    expect(clientError(Bytes.text("SSH-2.0-OpenSSH_9.2"))).toBe("NotTls");
    expect(clientError(Bytes.of("80 2e 01 0301 0015"))).toBe("NotTls");
    expect(clientError(alert(2, 40))).toBe("NotTls");
    expect(clientError(applicationData(60))).toBe("NotTls");
    expect(clientError(changeCipherSpec())).toBe("NotTls");
  });

  it("is every first byte but that of a handshake record", () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(clientError(new Bytes().u8(byte))).toBe(byte == 0x16 ? "" : "NotTls");
    }
  });

  it("is a server that greets, or answers a hello in plain text", () => {
    const greeting = new Watch().server(Bytes.text("220 mail.example ESMTP"));
    expect(greeting.events).toBe("NotTls");
    greeting.free();
    const answering = new Watch().client(hello().record()).server(Bytes.text("HTTP/1.1 400 Bad Request"));
    expect(answering.events).toBe("ClientHello NotTls");
    answering.free();
  });
});

describe("an alert", () => {
  it("ends a handshake where it is fatal or closes", () => {
    expect(serverError(alert(2, 40))).toBe("ClientHello Failed");
    expect(serverError(alert(1, 0))).toBe("ClientHello Failed");
    expect(serverError(answer().tls13().record().append(alert(2, 47)))).toBe("ClientHello ServerHello Failed");
  });

  it("is passed over where it only warns", () => {
    const watch = new Watch().client(hello().record()).server(alert(1, 112).append(flight(answer())));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(alert(1, 41)).client(alert(2, 42));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("may be cut between its two bytes, beside one of the other side", () => {
    const warning = alert(1, 112);
    const fatal = alert(2, 40);
    const watch = new Watch().client(hello().record());
    watch.server(warning.slice(0, 6)).client(fatal.slice(0, 6)).server(warning.slice(6, 7));
    expect(watch.events).toBe("ClientHello");
    watch.client(fatal.slice(6, 7));
    expect(watch.events).toBe("ClientHello Failed");
    watch.free();
  });

  it("ends a handshake where it comes sealed in place of a Finished, whatever it says", () => {
    const watch = fullTo(hello(), answer())
      .server(changeCipherSpec())
      .server(record(0x15, Bytes.counting(26)));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("ends a handshake at once where its sealed record is empty", () => {
    const watch = fullTo(hello(), answer()).client(record(0x15, new Bytes()));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("is malformed in clear where it is not two bytes", () => {
    expect(serverError(record(0x15, Bytes.of("02")))).toBe("alert_length");
    expect(serverError(record(0x15, Bytes.of("022802")))).toBe("alert_length");
  });

  it("ends a handshake in the middle of a message", () => {
    const watch = new Watch().client(hello().record()).server(record(0x16, answer().message().slice(0, 30)));
    watch.server(alert(2, 80));
    expect(watch.events).toBe("ClientHello Failed");
    watch.free();
  });
});

describe("feeding", () => {
  it("takes bytes up to an event and leaves the rest", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    const first = hello().record();
    const both = hello().record().append(Bytes.of("17 0303 0001 00"));
    expect<i32>(handshake.feed(Direction.Downstream, both.at, both.length)).toBe(Event.ClientHello);
    expect(handshake.consumed).toBe(first.length);
    expect<i32>(handshake.feed(Direction.Downstream, both.at + first.length, 6)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(6);
    handshake.free();
  });

  it("takes nothing of nothing", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    expect<i32>(handshake.feed(Direction.Downstream, 0, 0)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(0);
    expect<i32>(handshake.feed(Direction.Downstream, 0, -1)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(0);
    handshake.free();
  });

  it("takes all and says the same again after the end", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    const http = Bytes.text("GET / HTTP/1.1\r\n\r\n");
    handshake.feed(Direction.Downstream, http.at, http.length);
    expect<i32>(handshake.feed(Direction.Downstream, http.at, http.length)).toBe(Event.NotTls);
    expect(handshake.consumed).toBe(http.length);
    expect<i32>(handshake.feed(Direction.Upstream, http.at, 3)).toBe(Event.NotTls);
    expect(handshake.consumed).toBe(3);
    handshake.free();
  });

  it("finds a new handshake empty", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    expect(handshake.sniLength).toBe(-1);
    expect(handshake.sni).toBe(0);
    expect(handshake.offeredId).toBe(0);
    expect(handshake.offeredTicket).toBe(false);
    expect(handshake.acceptedPskIndex).toBe(-1);
    expect(handshake.version).toBe(0);
    expect(handshake.issuedTicketHash).toBe(0);
    handshake.free();
  });
});
