import { OFFERS_SIZE, Offers, readClientHello } from "../../../assembly/tls/client_hello";
import { ParseError, parseErrorName } from "../../../assembly/tls/parse_error";
import { Bytes, hexOf } from "../support/hello_bytes";
import { ClientHelloBuilder } from "../support/hello_builder";

const offers = changetype<Offers>(memory.data(OFFERS_SIZE, 8));

function error(body: Bytes): string {
  return parseErrorName(readClientHello(body.at, body.length, offers));
}

function hello(): ClientHelloBuilder {
  return new ClientHelloBuilder();
}

function text(at: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(at, length);
}

/** A hello with all that the observer reads, and GREASE (RFC 8701) wherever a client may put it. */
function full(): Bytes {
  return hello()
    .sessionId(Bytes.counting(32, 0x20))
    .cipherSuites(Bytes.of("1a1a 1301 c02f"))
    .extension(0x3a3a, new Bytes())
    .sni("shop.example")
    .ticket(Bytes.counting(100, 0x10))
    .versions(Bytes.of("4a4a 0304 0303"))
    .earlyData()
    .extension(0xfafa, Bytes.of("00"))
    .psk([Bytes.counting(40, 1), Bytes.counting(15, 2)])
    .body();
}

describe("a ClientHello", () => {
  it("shows everything that it offers, GREASE passed over", () => {
    expect(error(full())).toBe("none");
    expect(text(offers.sni, offers.sniLength)).toBe("shop.example");
    expect(offers.sniInvalid).toBe(false);
    expect(hexOf(offers.sessionId, offers.sessionIdLength)).toBe(hexOf(Bytes.counting(32, 0x20).at, 32));
    expect(offers.tls13).toBe(true);
    expect(offers.earlyData).toBe(true);
    expect(offers.ticket.length).toBe(100);
    expect(offers.pskCount).toBe(2);
  });

  it("names a ticket by its SHA-256 and its first 16 bytes", () => {
    expect(error(hello().ticket(Bytes.counting(64)).body())).toBe("none");
    expect(hexOf(offers.ticket.hash, 32)).toBe("fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
    expect(hexOf(offers.ticket.key, 16)).toBe("000102030405060708090a0b0c0d0e0f");
  });

  it("offers no ticket where the extension is empty", () => {
    expect(error(hello().ticket(new Bytes()).body())).toBe("none");
    expect(offers.ticket.present).toBe(false);
    expect(offers.ticket.hash).toBe(0);
  });

  it("has no key name in a ticket or identity shorter than 16 bytes", () => {
    expect(
      error(
        hello()
          .ticket(Bytes.counting(15))
          .psk([Bytes.counting(16), Bytes.counting(15)])
          .body(),
      ),
    ).toBe("none");
    expect(offers.ticket.present).toBe(true);
    expect(offers.ticket.key).toBe(0);
    expect(offers.psk(0).key).not.toBe(0);
    expect(offers.psk(1).key).toBe(0);
    expect(offers.psk(1).hash).not.toBe(0);
  });

  it("hashes four PSK identities and counts all", () => {
    const identities: Array<Bytes> = [];
    for (let i = 0; i < 6; i++) identities.push(Bytes.counting(64 + i));
    expect(error(hello().psk(identities).body())).toBe("none");
    expect(offers.pskCount).toBe(6);
    expect(hexOf(offers.psk(0).hash, 32)).toBe("fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
    expect(offers.psk(3).length).toBe(67);
  });

  it("does not offer TLS 1.3 unless supported_versions says so", () => {
    expect(error(hello().versions(Bytes.of("0303 0302 7a7a")).body())).toBe("none");
    expect(offers.tls13).toBe(false);
    expect(error(hello().body())).toBe("none");
    expect(offers.tls13).toBe(false);
  });

  it("may lack extensions altogether", () => {
    expect(error(hello().noExtensions().body())).toBe("none");
    expect(offers.sniLength).toBe(-1);
    expect(error(hello().body())).toBe("none");
  });

  it("forgets the offers of the hello before", () => {
    error(full());
    expect(error(hello().noExtensions().body())).toBe("none");
    expect(offers.sniLength).toBe(-1);
    expect(offers.sessionIdLength).toBe(0);
    expect(offers.ticket.present).toBe(false);
    expect(offers.pskCount).toBe(0);
    expect(offers.tls13).toBe(false);
    expect(offers.earlyData).toBe(false);
  });

  it("is malformed truncated at any byte, whatever lies behind", () => {
    const whole = full();
    let accepted = -1;
    for (let length = 0; length < whole.length; length++) {
      if (readClientHello(whole.at, length, offers) != ParseError.None) continue;
      accepted = length;
    }
    // Without its extensions it is a whole hello of TLS 1.2.
    expect(accepted).toBe(2 + 32 + 1 + 32 + 2 + 6 + 1 + 1);
    expect(error(whole.slice(0, whole.length - 1))).toBe("client_hello_truncated");
  });

  it("is malformed where an extension reaches past all of them, or its header does", () => {
    const tooLong = hello().sni("a").extension(0x1234, Bytes.of("0102")).body();
    expect(error(tooLong.overwrite(tooLong.length - 3, 3))).toBe("client_hello_truncated");
    const half = hello().noExtensions().body().vector16(Bytes.of("1234 00"));
    expect(error(half)).toBe("client_hello_truncated");
  });

  it("is malformed with bytes behind its extensions", () => {
    expect(error(full().u8(0))).toBe("client_hello_trailing");
    expect(error(hello().noExtensions().body().u8(0))).toBe("client_hello_truncated");
  });

  it("is malformed with a session ID longer than 32 bytes", () => {
    expect(error(hello().sessionId(Bytes.counting(33)).body())).toBe("session_id_too_long");
    expect(error(hello().sessionId(Bytes.counting(32)).body())).toBe("none");
  });

  it("is malformed without cipher suites, with half of one, or without a compression method", () => {
    expect(error(hello().cipherSuites(new Bytes()).body())).toBe("cipher_suites");
    expect(error(hello().cipherSuites(Bytes.of("130102")).body())).toBe("cipher_suites");
    expect(error(hello().compressionMethods(new Bytes()).body())).toBe("compression_methods");
  });

  it("is malformed with two extensions of one type, known or not, near or far", () => {
    expect(error(hello().sni("a").sni("b").body())).toBe("duplicate_extension");
    expect(error(hello().ticket(new Bytes()).ticket(new Bytes()).body())).toBe("duplicate_extension");
    const many = hello();
    for (let i = 0; i < 300; i++) many.extension(0x1000 + i, new Bytes());
    expect(error(many.body())).toBe("none");
    expect(error(many.extension(0x1000, new Bytes()).body())).toBe("duplicate_extension");
    expect(error(many.body())).toBe("duplicate_extension");
    expect(error(hello().extension(0x1000, new Bytes()).body())).toBe("none");
  });

  it("is not taken for malformed by what the hello before it had, however many extensions that was", () => {
    for (let count = 60; count <= 70; count++) {
      const many = hello();
      for (let i = 0; i < count; i++) many.extension(0x2000 + i, new Bytes());
      expect(error(many.body())).toBe("none", count.toString());
      expect(error(many.body())).toBe("none", count.toString());
      expect(error(many.extension(0x2000 + count - 1, new Bytes()).body())).toBe(
        "duplicate_extension",
        count.toString(),
      );
    }
  });

  it("is malformed where pre_shared_key is not the last extension", () => {
    expect(
      error(
        hello()
          .psk([Bytes.counting(20)])
          .sni("a")
          .body(),
      ),
    ).toBe("pre_shared_key_not_last");
  });

  it("is malformed where early_data carries something", () => {
    expect(error(hello().extension(0x2a, Bytes.of("00")).body())).toBe("early_data");
  });
});

describe("a server name", () => {
  it("may be 1 to 255 bytes long", () => {
    expect(error(hello().sni("a").body())).toBe("none");
    expect(offers.sniLength).toBe(1);
    expect(error(hello().sni("a".repeat(255)).body())).toBe("none");
    expect(offers.sniLength).toBe(255);
  });

  it("is none, and invalid, where it is longer or holds anything but visible ASCII", () => {
    const names = ["a".repeat(256), "a b", "a\0b", "a\nb", "\x7f", "caf\xe9"];
    for (let i = 0; i < names.length; i++) {
      expect(error(hello().sni(names[i]).body())).toBe("none");
      expect(offers.sniLength).toBe(-1);
      expect(offers.sniInvalid).toBe(true);
    }
  });

  it("takes the edges of visible ASCII", () => {
    expect(error(hello().sni("!~").body())).toBe("none");
    expect(text(offers.sni, offers.sniLength)).toBe("!~");
  });

  it("is found behind a name of an unknown type", () => {
    const list = Bytes.of("07 0002 beef 00 0001 61");
    expect(error(hello().extension(0, new Bytes().vector16(list)).body())).toBe("none");
    expect(text(offers.sni, offers.sniLength)).toBe("a");
  });

  it("is malformed where its list is empty, short, long, names nothing or names two hosts", () => {
    const bodies = [
      "",
      "0000",
      "0003 000000",
      "0005 00 0001 61",
      "0004 00 0001 61 00",
      "0004 00 0002 61",
      "0008 00000161 00000162",
    ];
    for (let i = 0; i < bodies.length; i++) {
      expect(error(hello().extension(0, Bytes.of(bodies[i])).body())).toBe("server_name", bodies[i]);
    }
  });
});

describe("supported_versions", () => {
  it("is malformed where its list is empty, odd, short or long", () => {
    const bodies = ["", "00", "01 03", "03 0304 03", "04 0304", "02 0304 00"];
    for (let i = 0; i < bodies.length; i++) {
      expect(error(hello().extension(0x2b, Bytes.of(bodies[i])).body())).toBe("supported_versions", bodies[i]);
    }
  });
});

describe("pre_shared_key", () => {
  it("is malformed where identities and binders do not fit their lengths or each other", () => {
    const binder = "20" + "00".repeat(32);
    const bodies = [
      "", // nothing
      "0000 0000", // no identity
      "0000 0021" + binder, // a binder without an identity
      "0007 0001 aa 00000000 0000", // an identity without a binder
      "0007 0001 aa 00000000", // no list of binders
      "0006 0000 00000000 0021" + binder, // an empty identity
      "0007 0002 aa 00000000 0021" + binder, // an identity longer than its list
      "0008 0001 aa 00000000 0021" + binder, // a list longer than its identities
      "0007 0001 aa 00000000 0042" + binder + binder, // two binders for one
      "0007 0001 aa 00000000 0020 1f" + "00".repeat(31), // a binder too short
      "0007 0001 aa 00000000 0021" + binder + "00", // bytes behind
    ];
    for (let i = 0; i < bodies.length; i++) {
      expect(error(hello().extension(0x29, Bytes.of(bodies[i])).body())).toBe("pre_shared_key", bodies[i]);
    }
    expect(
      error(
        hello()
          .extension(0x29, Bytes.of("0007 0001 aa 00000000 0021" + binder))
          .body(),
      ),
    ).toBe("none");
  });
});
