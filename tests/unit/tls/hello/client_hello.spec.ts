import { CLIENT_HELLO_READER_SIZE, ClientHelloReader } from "../../../../assembly/tls/hello/client_hello";
import { OFFERS_SIZE, Offers, TICKET_OWNER, Unsure } from "../../../../assembly/tls/hello/offers";
import { parseErrorName } from "../../../../assembly/tls/wire/parse_error";
import { Bytes, hashOf, hexOf } from "../../support/hello_bytes";
import { ClientHelloBuilder, formedTicket } from "../../support/hello_builder";
import { unsureName } from "../../support/hello_watch";

const offers = changetype<Offers>(memory.data(OFFERS_SIZE, 8));
const reader = changetype<ClientHelloReader>(memory.data(CLIENT_HELLO_READER_SIZE, 8));

/** All that was read, as one line. */
function all(): string {
  let text = parseErrorName(reader.error) + " " + unsureName(offers.unsure);
  text += " " + hexOf(offers.sni, offers.sniLength) + " " + hexOf(offers.sessionId, offers.sessionIdLength);
  text += " " + hexOf(offers.ticket.hash, 32) + "/" + hexOf(offers.ticket.key, 16);
  text += " " + offers.pskCount.toString();
  for (let i = 0; i < min(offers.pskCount, 4); i++) text += " " + hexOf(offers.psk(i).hash, 32);
  for (let i = 0; i < offers.furtherCount; i++) {
    text += " " + offers.ownerOf(i).toString() + "/" + hexOf(offers.further(i).hash, 32);
  }
  text += " " + offers.tls13.toString() + offers.earlyData.toString() + offers.encryptedHello.toString();
  return text + offers.asksForTicket.toString();
}

function readInPieces(body: Bytes, size: i32, unsure: u32): void {
  reader.start(body.length, offers, unsure);
  let whole = body.length == 0 && reader.push(0, 0, offers);
  for (let at = 0; at < body.length; at += size) {
    if (whole) throw new Error("whole before its end");
    whole = reader.push(body.at + <usize>at, min(size, body.length - at), offers);
  }
  if (!whole) throw new Error("not whole at its end");
}

/** Reads a hello, byte by byte and in one piece: what is wrong with it, and what is unsure. */
function read(body: Bytes, unsure: u32 = 0): string {
  readInPieces(body, 1, unsure);
  const slowly = all();
  readInPieces(body, max(body.length, 1), unsure);
  if (slowly != all()) return "cut differently: " + slowly + " or " + all();
  return parseErrorName(reader.error) + ": " + unsureName(offers.unsure);
}

const SURE = "none: nothing";
const binder = "20" + "00".repeat(32);

function hello(): ClientHelloBuilder {
  return new ClientHelloBuilder();
}

function name(): string {
  return offers.sniLength < 0 ? "none" : String.UTF8.decodeUnsafe(offers.sni, offers.sniLength);
}

const id = Bytes.counting(32, 0x20);
const ticket = Bytes.counting(64);
const ticketHash = "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108";

/** A hello with all that the observer reads, and GREASE (RFC 8701) wherever a client may put it. */
function full(): ClientHelloBuilder {
  return hello()
    .sessionId(id)
    .cipherSuites(Bytes.of("1a1a 1301 c02f"))
    .extension(0x3a3a, new Bytes())
    .sni("shop.example")
    .ticket(ticket)
    .versions(Bytes.of("4a4a 0304 0303"))
    .earlyData()
    .extension(0xfafa, Bytes.of("00"))
    .psk([Bytes.counting(40, 1), Bytes.counting(15, 2)]);
}

/** Session ID, ticket and PSK identities of `full`, and nothing else, are offered. */
function expectAllOffers(): void {
  expect(hexOf(offers.sessionId, offers.sessionIdLength)).toBe(hexOf(id.at, 32));
  expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash);
  expect(offers.pskCount).toBe(2);
  expect(hexOf(offers.psk(0).hash, 32)).toBe(hashOf(Bytes.counting(40, 1)));
  expect(hexOf(offers.psk(1).hash, 32)).toBe(hashOf(Bytes.counting(15, 2)));
}

describe("a ClientHello", () => {
  it("shows everything that it offers, GREASE passed over", () => {
    expect(read(full().body())).toBe(SURE);
    expect(name()).toBe("shop.example");
    expectAllOffers();
    expect(offers.furtherCount).toBe(0);
    expect(offers.tls13).toBe(true);
    expect(offers.earlyData).toBe(true);
    expect(offers.encryptedHello).toBe(false);
  });

  it("says the same cut at any byte, and cut in pieces of any size", () => {
    const body = full().ticket(formedTicket(20, 20).u8(1)).sni("").body();
    readInPieces(body, body.length, 0);
    const whole = all();
    for (let size = 1; size < body.length; size++) {
      readInPieces(body, size, 0);
      expect(all()).toBe(whole, size.toString());
      reader.start(body.length, offers, 0);
      expect(reader.push(body.at, size, offers)).toBe(false);
      expect(reader.push(body.at + <usize>size, body.length - size, offers)).toBe(true);
      expect(all()).toBe(whole, size.toString());
    }
  });

  it("names a ticket by its SHA-256 and its first 16 bytes", () => {
    expect(read(hello().ticket(ticket).body())).toBe(SURE);
    expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash);
    expect(hexOf(offers.ticket.key, 16)).toBe("000102030405060708090a0b0c0d0e0f");
  });

  it("offers no ticket where the extension is empty", () => {
    expect(read(hello().ticket(new Bytes()).body())).toBe(SURE);
    expect(offers.ticket.present).toBe(false);
    expect(offers.ticket.hash).toBe(0);
    expect(offers.asksForTicket).toBe(true);
    expect(read(hello().ticket(ticket).body())).toBe(SURE);
    expect(offers.asksForTicket).toBe(false);
  });

  it("has no key name in a ticket or identity shorter than 16 bytes", () => {
    const identities = [Bytes.counting(16), Bytes.counting(15)];
    expect(read(hello().ticket(Bytes.counting(15)).psk(identities).body())).toBe(SURE);
    expect(offers.ticket.present).toBe(true);
    expect(offers.ticket.key).toBe(0);
    expect(offers.psk(0).key).not.toBe(0);
    expect(offers.psk(1).key).toBe(0);
    expect(offers.psk(1).hash).not.toBe(0);
  });

  it("hashes four PSK identities and counts all", () => {
    const identities: Array<Bytes> = [];
    for (let i = 0; i < 6; i++) identities.push(Bytes.counting(64 + i));
    expect(read(hello().psk(identities).sni("behind.example").body())).toBe(SURE);
    expect(offers.pskCount).toBe(6);
    for (let i = 0; i < 4; i++) expect(hexOf(offers.psk(i).hash, 32)).toBe(hashOf(identities[i]));
    expect(name()).toBe("behind.example");
  });

  it("does not offer TLS 1.3 unless supported_versions says so", () => {
    expect(read(hello().versions(Bytes.of("0303 0302 7a7a")).body())).toBe(SURE);
    expect(offers.tls13).toBe(false);
    expect(read(hello().body())).toBe(SURE);
    expect(offers.tls13).toBe(false);
  });

  it("may hold an encrypted hello", () => {
    expect(read(full().extension(0xfe0d, Bytes.counting(100)).body())).toBe(SURE);
    expect(offers.encryptedHello).toBe(true);
    expectAllOffers();
  });

  it("may lack extensions altogether", () => {
    expect(read(hello().sessionId(id).noExtensions().body())).toBe(SURE);
    expect(offers.sessionIdLength).toBe(32);
    expect(name()).toBe("none");
    expect(read(hello().body())).toBe(SURE);
  });

  it("forgets the offers of the hello before, and what was unsure in it", () => {
    read(full().sni("again").extension(0xfe0d, new Bytes()).ticket(formedTicket(1, 21)).body());
    expect(offers.unsure).toBe(Unsure.NAME);
    expect(offers.furtherCount).toBe(2);
    expect(read(hello().noExtensions().body())).toBe(SURE);
    expect(name()).toBe("none");
    expect(offers.sessionIdLength).toBe(0);
    expect(offers.ticket.present).toBe(false);
    expect(offers.pskCount).toBe(0);
    expect(offers.furtherCount).toBe(0);
    expect(offers.tls13).toBe(false);
    expect(offers.earlyData).toBe(false);
    expect(offers.encryptedHello).toBe(false);
  });

  it("is read, and stays unsure, where nothing could be followed before it", () => {
    expect(read(full().body(), Unsure.ALL)).toBe("none: all");
    expectAllOffers();
    expect(name()).toBe("none");
  });

  it("may be as long as its length can say", () => {
    const long = full();
    for (let i = 0; i < 3; i++) long.extension(0xabcd, Bytes.counting(20000));
    expect(read(long.sni("b").body())).toBe("server_name: name");
    expectAllOffers();
  });
});

describe("a ClientHello of which nothing can be relied on", () => {
  it("is one that ends at any byte but that of a whole hello without extensions", () => {
    const whole = full().body();
    const bare = 2 + 32 + 1 + 32 + 2 + 6 + 1 + 1;
    for (let length = 0; length < whole.length; length++) {
      const said = read(whole.slice(0, length));
      expect(said).toBe(length == bare ? SURE : "client_hello_truncated: all", length.toString());
    }
  });

  it("is one with bytes behind its extensions", () => {
    expect(read(full().body().u8(0))).toBe("client_hello_trailing: all");
    expect(read(hello().body().append(Bytes.counting(300)))).toBe("client_hello_trailing: all");
    expect(read(hello().noExtensions().body().u8(0))).toBe("client_hello_truncated: all");
  });

  it("is one whose extension, or its header, reaches past all of them", () => {
    const tooLong = full().extension(0x1234, Bytes.of("0102")).body();
    expect(read(tooLong.overwrite(tooLong.length - 3, 3))).toBe("client_hello_truncated: all");
    expect(name()).toBe("none");
    for (let length = 1; length < 4; length++) {
      const header = Bytes.of("12340000").slice(0, length);
      expect(read(hello().noExtensions().body().vector16(header))).toBe("client_hello_truncated: all");
    }
  });

  it("is one whose extensions reach past the hello", () => {
    expect(read(hello().noExtensions().body().append(Bytes.of("0005 1234 0000")))).toBe("client_hello_truncated: all");
  });
});

describe("what a ClientHello has wrong", () => {
  it("voids what TLS 1.2 may resume where the session ID is longer than 32 bytes, and nothing else", () => {
    for (let length = 33; length < 256; length += 37) {
      expect(read(full().sessionId(Bytes.counting(length)).body())).toBe("session_id_too_long: legacy");
      expect(offers.sessionIdLength).toBe(0);
      expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash);
      expect(offers.pskCount).toBe(2);
      expect(name()).toBe("shop.example");
    }
  });

  it("voids nothing where it lacks cipher suites or compression methods, or has half a suite", () => {
    expect(read(full().cipherSuites(new Bytes()).body())).toBe(SURE);
    expectAllOffers();
    expect(read(full().cipherSuites(Bytes.of("130102")).body())).toBe(SURE);
    expectAllOffers();
    expect(read(full().compressionMethods(new Bytes()).body())).toBe(SURE);
    expectAllOffers();
  });

  it("voids nothing where an extension that does not count comes twice", () => {
    expect(read(full().extension(0x1000, Bytes.of("01")).extension(0x1000, new Bytes()).body())).toBe(SURE);
    expectAllOffers();
    const many = full();
    for (let i = 0; i < 300; i++) many.extension(0x1000 + (i & 127), new Bytes());
    expect(read(many.body())).toBe(SURE);
    expectAllOffers();
  });

  it("voids nothing where early_data carries something", () => {
    expect(read(hello().sni("a").extension(0x2a, Bytes.of("00")).ticket(ticket).body())).toBe(SURE);
    expect(offers.earlyData).toBe(true);
    expect(offers.ticket.present).toBe(true);
  });

  it("voids nothing where supported_versions is empty, odd, short, long or there twice", () => {
    const bodies = ["", "00", "01 03", "03 0304 03", "04 0304", "02 0304 00"];
    for (let i = 0; i < bodies.length; i++) {
      expect(read(hello().sni("a").extension(0x2b, Bytes.of(bodies[i])).ticket(ticket).body())).toBe(SURE, bodies[i]);
      expect(offers.tls13).toBe(i >= 3, bodies[i]);
      expect(offers.ticket.present).toBe(true, bodies[i]);
      expect(name()).toBe("a");
    }
    expect(read(hello().versions(Bytes.of("0304")).versions(Bytes.of("0303")).body())).toBe(SURE);
    expect(offers.tls13).toBe(true);
  });

  it("is told as the first thing of all", () => {
    expect(read(full().sni("b").psk([ticket]).body())).toBe("server_name: psk name");
    expect(read(full().psk([ticket]).sni("b").body())).toBe("pre_shared_key: psk name");
    expect(read(full().sni("b").body().u8(0))).toBe("server_name: all");
  });
});

describe("a server name", () => {
  it("may be 1 to 255 bytes long", () => {
    expect(read(hello().sni("a").body())).toBe(SURE);
    expect(name()).toBe("a");
    expect(read(hello().sni("a".repeat(255)).body())).toBe(SURE);
    expect(name()).toBe("a".repeat(255));
  });

  it("takes the edges of visible ASCII", () => {
    expect(read(hello().sni("!~").body())).toBe(SURE);
    expect(name()).toBe("!~");
  });

  it("is found behind a name of an unknown type, and before one", () => {
    expect(
      read(
        hello()
          .extension(0, new Bytes().vector16(Bytes.of("07 0002 beef 00 0001 61")))
          .body(),
      ),
    ).toBe(SURE);
    expect(name()).toBe("a");
    expect(
      read(
        hello()
          .extension(0, new Bytes().vector16(Bytes.of("00 0001 61 07 0002 beef")))
          .body(),
      ),
    ).toBe(SURE);
    expect(name()).toBe("a");
  });

  it("is none, and unsure, where it holds anything but visible ASCII, and all offers stand", () => {
    const names = ["a b", "a\0b", "a\nb", "\x7f", "caf\xe9", " a", "a "];
    for (let i = 0; i < names.length; i++) {
      const body = hello().sessionId(id).sni(names[i]).ticket(ticket);
      expect(read(body.psk([Bytes.counting(40, 1), Bytes.counting(15, 2)]).body())).toBe("none: name");
      expect(name()).toBe("none");
      expectAllOffers();
    }
  });

  it("is none, and unsure, where it is too long, ends with a full stop, or comes twice, and all offers stand", () => {
    const names = ["a".repeat(256), "a".repeat(1000), "shop.example.", "."];
    for (let i = 0; i < names.length; i++) {
      const body = hello().sessionId(id).sni(names[i]).ticket(ticket);
      expect(read(body.psk([Bytes.counting(40, 1), Bytes.counting(15, 2)]).body())).toBe("server_name: name");
      expect(name()).toBe("none");
      expectAllOffers();
    }
    expect(read(full().sni("shop.example").body())).toBe("server_name: name");
    expect(name()).toBe("none");
    expectAllOffers();
  });

  it("is none, and unsure, where its list is empty, short, long, names nothing or names two hosts", () => {
    const bodies = [
      "",
      "00",
      "0000",
      "0002 0000",
      "0003 000000",
      "0005 00 0001 61",
      "0003 00 0001 61",
      "0004 00 0001 61 00",
      "0004 00 0002 61",
      "0006 00 0001 61 0000",
      "0005 07 0002 beef",
      "0008 00000161 00000162",
      "0008 00000120 00000162",
    ];
    for (let i = 0; i < bodies.length; i++) {
      const body = hello().sessionId(id).extension(0, Bytes.of(bodies[i])).ticket(ticket);
      const said = read(body.psk([Bytes.counting(40, 1), Bytes.counting(15, 2)]).body());
      // The name with a space is unsure without being malformed; what comes behind it is.
      expect(said).toBe("server_name: name", bodies[i]);
      expect(name()).toBe("none", bodies[i]);
      expectAllOffers();
    }
  });
});

describe("a second list of server names", () => {
  it("makes the name unsure even where it names no host", () => {
    const body = full().extension(0, new Bytes().vector16(Bytes.of("07 0002 beef")));
    expect(read(body.body())).toBe("server_name: name");
    expect(name()).toBe("none");
    expectAllOffers();
  });
});

describe("a second ticket", () => {
  it("may be meant as well as the first", () => {
    expect(read(hello().ticket(ticket).sni("a").ticket(Bytes.counting(30)).body())).toBe(SURE);
    expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash);
    expect(offers.furtherCount).toBe(1);
    expect(offers.ownerOf(0)).toBe(TICKET_OWNER);
    expect(hexOf(offers.further(0).hash, 32)).toBe(hashOf(Bytes.counting(30)));
  });

  it("is the only one behind an empty one", () => {
    expect(read(hello().ticket(new Bytes()).ticket(ticket).body())).toBe(SURE);
    expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash);
    expect(offers.furtherCount).toBe(0);
  });

  it("makes what TLS 1.2 may resume unsure where there are too many to be kept", () => {
    const many = hello();
    for (let i = 0; i < 5; i++) many.ticket(Bytes.counting(20 + i));
    expect(read(many.body())).toBe(SURE);
    expect(offers.furtherCount).toBe(4);
    expect(read(many.ticket(Bytes.counting(50)).psk([ticket]).body())).toBe("none: legacy");
    expect(offers.furtherCount).toBe(4);
    for (let i = 0; i < 4; i++) expect(hexOf(offers.further(i).hash, 32)).toBe(hashOf(Bytes.counting(21 + i)));
    expect(hexOf(offers.psk(0).hash, 32)).toBe(ticketHash);
  });
});

describe("a ticket with bytes behind its form", () => {
  it("may be meant without them", () => {
    const form = formedTicket(40, 20);
    expect(read(hello().ticket(form).body())).toBe(SURE);
    expect(offers.furtherCount).toBe(0);
    const longer = formedTicket(40, 20).u8(7);
    expect(read(hello().ticket(longer).body())).toBe(SURE);
    expect(offers.isAmbiguous(TICKET_OWNER)).toBe(true);
    expect(hexOf(offers.ticket.hash, 32)).toBe(hashOf(longer));
    expect(offers.furtherCount).toBe(1);
    expect(offers.ownerOf(0)).toBe(TICKET_OWNER);
    expect(hexOf(offers.further(0).hash, 32)).toBe(hashOf(form));
  });

  it("may be a PSK identity, and the further one is known to be of that", () => {
    const longer = formedTicket(40, 20).u8(7);
    expect(read(hello().psk([ticket, longer]).body())).toBe(SURE);
    expect(offers.isAmbiguous(0)).toBe(false);
    expect(offers.isAmbiguous(1)).toBe(true);
    expect(offers.furtherCount).toBe(1);
    expect(offers.ownerOf(0)).toBe(1);
    expect(hexOf(offers.further(0).hash, 32)).toBe(hashOf(formedTicket(40, 20)));
  });

  it("is meant as it is where it ends as the longer form does, unless another ticket comes", () => {
    const whole = formedTicket(40, 32);
    expect(read(hello().ticket(whole).body())).toBe(SURE);
    expect(offers.furtherCount).toBe(1);
    expect(offers.isAmbiguous(TICKET_OWNER)).toBe(false);
    expect(read(hello().ticket(whole).ticket(ticket).body())).toBe(SURE);
    expect(offers.isAmbiguous(TICKET_OWNER)).toBe(true);
    expect(read(hello().ticket(ticket).ticket(whole).body())).toBe(SURE);
    expect(offers.isAmbiguous(TICKET_OWNER)).toBe(true);
  });

  it("makes PSK identities unsure where there are too many to be kept, and all four are hashed", () => {
    const longer = formedTicket(40, 33);
    expect(read(hello().ticket(ticket).psk([longer, longer, longer]).body())).toBe("none: psk");
    expect(offers.furtherCount).toBe(4);
    expect(hexOf(offers.psk(1).hash, 32)).toBe(hashOf(longer));
    expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash);
  });
});

describe("pre_shared_key", () => {
  it("may stand anywhere, with binders of any length", () => {
    const body = hello().extension(0x29, Bytes.of("0007 0001 aa 00000000 0021" + binder));
    expect(read(body.sni("a").ticket(ticket).body())).toBe(SURE);
    expect(offers.pskCount).toBe(1);
    expect(name()).toBe("a");
    expect(offers.ticket.present).toBe(true);
    expect(read(hello().extension(0x29, Bytes.of("0007 0001 aa 00000000 0002 0100")).body())).toBe(SURE);
    expect(offers.pskCount).toBe(1);
  });

  it("is unsure where identities and binders do not fit their lengths or each other, and the rest stands", () => {
    const bodies = [
      "", // nothing
      "00", // half a length
      "0000 0000", // no identity
      "0000 0021" + binder, // a binder without an identity
      "0007 0001 aa 00000000 0000", // an identity without a binder
      "0007 0001 aa 00000000", // no list of binders
      "0006 0000 00000000 0021" + binder, // an empty identity
      "0007 0002 aa 00000000 0021" + binder, // an identity longer than its list
      "0008 0001 aa 00000000 0021" + binder, // a list longer than its identities
      "0040 0001 aa 00000000 0021" + binder, // a list longer than all
      "0007 0001 aa 00000000 0042" + binder + binder, // two binders for one
      "0007 0001 aa 00000000 0001 00", // an empty binder
      "0007 0001 aa 00000000 0002 0200", // a binder longer than its list
      "0007 0001 aa 00000000 0021" + binder + "00", // bytes behind
    ];
    for (let i = 0; i < bodies.length; i++) {
      const body = hello().sessionId(id).extension(0x29, Bytes.of(bodies[i])).ticket(ticket).sni("a");
      expect(read(body.body())).toBe("pre_shared_key: psk", bodies[i]);
      expect(hexOf(offers.ticket.hash, 32)).toBe(ticketHash, bodies[i]);
      expect(offers.sessionIdLength).toBe(32, bodies[i]);
      expect(name()).toBe("a", bodies[i]);
    }
  });

  it("is unsure where it comes twice: nobody can tell which one an index is of", () => {
    expect(read(full().psk([ticket]).ticket(new Bytes()).body())).toBe("pre_shared_key: psk");
    expectAllOffers();
    expect(name()).toBe("shop.example");
  });
});
