import { Bytes } from "./hello_bytes";

/** Builders of TLS records and messages. They build what they are told, right or wrong. */

export class ClientHelloBuilder {
  private id: Bytes = new Bytes();
  private suites: Bytes = Bytes.of("1301 c02f");
  private methods: Bytes = Bytes.of("00");
  private extensions: Bytes = new Bytes();
  private withoutExtensions: bool = false;

  sessionId(id: Bytes): ClientHelloBuilder {
    this.id = id;
    return this;
  }

  cipherSuites(suites: Bytes): ClientHelloBuilder {
    this.suites = suites;
    return this;
  }

  compressionMethods(methods: Bytes): ClientHelloBuilder {
    this.methods = methods;
    return this;
  }

  noExtensions(): ClientHelloBuilder {
    this.withoutExtensions = true;
    return this;
  }

  extension(type: i32, body: Bytes): ClientHelloBuilder {
    this.extensions.u16(type).vector16(body);
    return this;
  }

  sni(name: string): ClientHelloBuilder {
    return this.extension(0x0000, new Bytes().vector16(new Bytes().u8(0).vector16(Bytes.text(name))));
  }

  ticket(ticket: Bytes): ClientHelloBuilder {
    return this.extension(0x0023, ticket);
  }

  versions(list: Bytes): ClientHelloBuilder {
    return this.extension(0x002b, new Bytes().vector8(list));
  }

  earlyData(): ClientHelloBuilder {
    return this.extension(0x002a, new Bytes());
  }

  psk(identities: Array<Bytes>): ClientHelloBuilder {
    const list = new Bytes();
    const binders = new Bytes();
    for (let i = 0; i < identities.length; i++) {
      list.vector16(identities[i]).u32(0x01020304);
      binders.vector8(Bytes.counting(32));
    }
    return this.extension(0x0029, new Bytes().vector16(list).vector16(binders));
  }

  body(): Bytes {
    const hello = Bytes.of("0303").append(Bytes.counting(32, 0x40)).vector8(this.id);
    hello.vector16(this.suites).vector8(this.methods);
    return this.withoutExtensions ? hello : hello.vector16(this.extensions);
  }

  message(): Bytes {
    return message(0x01, this.body());
  }

  record(): Bytes {
    return record(0x16, this.message());
  }
}

export class ServerHelloBuilder {
  private id: Bytes = new Bytes();
  private extensions: Bytes = new Bytes();
  private random: Bytes = Bytes.counting(32, 0x80);
  private legacyVersion: i32 = 0x0303;
  private suite: i32 = 0xc02f;
  private withoutExtensions: bool = false;

  sessionId(id: Bytes): ServerHelloBuilder {
    this.id = id;
    return this;
  }

  version(version: i32): ServerHelloBuilder {
    this.legacyVersion = version;
    return this;
  }

  cipher(suite: i32): ServerHelloBuilder {
    this.suite = suite;
    return this;
  }

  noExtensions(): ServerHelloBuilder {
    this.withoutExtensions = true;
    return this;
  }

  extension(type: i32, body: Bytes): ServerHelloBuilder {
    this.extensions.u16(type).vector16(body);
    return this;
  }

  tls13(): ServerHelloBuilder {
    return this.cipher(0x1301).extension(0x002b, Bytes.of("0304"));
  }

  psk(index: i32): ServerHelloBuilder {
    return this.extension(0x0029, new Bytes().u16(index));
  }

  /** RFC 8446 4.1.3: a HelloRetryRequest. */
  retry(): ServerHelloBuilder {
    this.random = Bytes.of("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
    return this;
  }

  body(): Bytes {
    const hello = new Bytes().u16(this.legacyVersion).append(this.random).vector8(this.id).u16(this.suite).u8(0);
    return this.withoutExtensions ? hello : hello.vector16(this.extensions);
  }

  message(): Bytes {
    return message(0x02, this.body());
  }

  record(): Bytes {
    return record(0x16, this.message());
  }
}

export function message(type: i32, body: Bytes): Bytes {
  return new Bytes().u8(type).vector24(body);
}

export function record(type: i32, body: Bytes): Bytes {
  return new Bytes().u8(type).u16(0x0303).vector16(body);
}

/** The same body over records of at most `fragment` bytes each. */
export function records(type: i32, body: Bytes, fragment: i32): Bytes {
  const all = new Bytes();
  for (let at = 0; at < body.length; at += fragment) {
    all.append(record(type, body.slice(at, min(at + fragment, body.length))));
  }
  return all;
}

export function changeCipherSpec(): Bytes {
  return record(0x14, Bytes.of("01"));
}

export function alert(level: i32, description: i32): Bytes {
  return record(0x15, new Bytes().u8(level).u8(description));
}

/** A sealed Finished of TLS 1.2, or any other sealed handshake message. */
export function sealedHandshake(): Bytes {
  return record(0x16, Bytes.counting(40, 0xa0));
}

export function applicationData(length: i32): Bytes {
  return record(0x17, Bytes.counting(length, 0xc0));
}

export function newSessionTicket(lifetimeSeconds: u32, ticket: Bytes): Bytes {
  return message(0x04, new Bytes().u32(lifetimeSeconds).vector16(ticket));
}

/** Certificate, ServerKeyExchange and ServerHelloDone, with bodies that nobody reads. */
export function serverKeyExchange(): Bytes {
  return message(0x0b, Bytes.counting(700))
    .append(message(0x0c, Bytes.counting(200)))
    .append(message(0x0e, new Bytes()));
}

export function clientKeyExchange(): Bytes {
  return message(0x10, Bytes.counting(66));
}

/** A ticket of the form of RFC 5077 section 4: key name, IV, state and MAC. */
export function formedTicket(stateLength: i32, macLength: i32): Bytes {
  return Bytes.counting(32, 0x61).vector16(Bytes.counting(stateLength, 0x11)).append(Bytes.counting(macLength, 0xd0));
}

/** An SSLv2 hello (RFC 5246 E.2) of `length` bytes behind its header. */
export function v2Hello(length: i32): Bytes {
  return new Bytes().u16(0x8000 | length).append(Bytes.of("01 0303").append(Bytes.counting(length - 3)));
}
