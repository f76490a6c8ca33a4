import { BORINGSSL } from "../../fixtures/boringssl";
import { BOTAN } from "../../fixtures/botan";
import { CHROMIUM } from "../../fixtures/chromium";
import { CONSCRYPT } from "../../fixtures/conscrypt";
import { CURL } from "../../fixtures/curl";
import { ERLANG } from "../../fixtures/erlang";
import { FIREFOX } from "../../fixtures/firefox";
import { GNUTLS } from "../../fixtures/gnutls";
import { GO } from "../../fixtures/go";
import { JAVA } from "../../fixtures/java";
import { MBEDTLS } from "../../fixtures/mbedtls";
import { NODE } from "../../fixtures/node";
import { NSS } from "../../fixtures/nss";
import { OPENSSL35 } from "../../fixtures/openssl35";
import { OPENSSL_TLS12 } from "../../fixtures/openssl_tls12";
import { OPENSSL_TLS13 } from "../../fixtures/openssl_tls13";
import { RUSTLS } from "../../fixtures/rustls";
import { TLSLITE } from "../../fixtures/tlslite";
import { WOLFSSL } from "../../fixtures/wolfssl";
import { Direction } from "../../../assembly/tls/handshake";
import { Bytes } from "./hello_bytes";
import { Watch } from "./hello_watch";

/** Bytes of one direction, as a captured connection or a test has them. */
export class Segment {
  constructor(
    public direction: i32,
    public bytes: Bytes,
  ) {}
}

/** What passed on one connection, both directions in their order, and what the client said of it. */
export class Exchange {
  segments: Array<Segment> = [];
  private expected: string = "";

  constructor(public name: string) {}

  /** Every exchange of tests/fixtures. */
  static captured(): Array<Exchange> {
    const all: Array<Exchange> = [];
    Exchange.read(BORINGSSL, all);
    Exchange.read(BOTAN, all);
    Exchange.read(CHROMIUM, all);
    Exchange.read(CONSCRYPT, all);
    Exchange.read(CURL, all);
    Exchange.read(ERLANG, all);
    Exchange.read(FIREFOX, all);
    Exchange.read(GNUTLS, all);
    Exchange.read(GO, all);
    Exchange.read(JAVA, all);
    Exchange.read(MBEDTLS, all);
    Exchange.read(NODE, all);
    Exchange.read(NSS, all);
    Exchange.read(OPENSSL35, all);
    Exchange.read(OPENSSL_TLS12, all);
    Exchange.read(OPENSSL_TLS13, all);
    Exchange.read(RUSTLS, all);
    Exchange.read(TLSLITE, all);
    Exchange.read(WOLFSSL, all);
    return all;
  }

  /** Reads the lines that tests/fixtures/capture.ts describes. */
  private static read(lines: string[], all: Array<Exchange>): void {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i];
      if (line.startsWith("name ")) all.push(new Exchange(line.substring(5)));
      else if (line.startsWith("expect ")) all[all.length - 1].expected = line.substring(7) + " ";
      else if (line.startsWith("> ")) all[all.length - 1].client(Bytes.of(line.substring(2)));
      else if (line.startsWith("< ")) all[all.length - 1].server(Bytes.of(line.substring(2)));
    }
  }

  client(bytes: Bytes): Exchange {
    this.segments.push(new Segment(Direction.Downstream, bytes));
    return this;
  }

  server(bytes: Bytes): Exchange {
    this.segments.push(new Segment(Direction.Upstream, bytes));
    return this;
  }

  /** The value that the client reported under a name; "" where it reported none. */
  said(name: string): string {
    const at = this.expected.indexOf(name + "=");
    if (at < 0) return "";
    const from = at + name.length + 1;
    return this.expected.substring(from, this.expected.indexOf(" ", from));
  }

  get length(): i32 {
    let length = 0;
    for (let i = 0; i < this.segments.length; i++) length += this.segments[i].bytes.length;
    return length;
  }

  /** All of it, segment by segment. */
  watch(): Watch {
    return this.watchTo(this.length);
  }

  /** All of it, with the segments in pieces of `size` bytes. */
  inPieces(size: i32): Watch {
    const watch = new Watch();
    for (let i = 0; i < this.segments.length; i++) {
      const segment = this.segments[i];
      watch.pieces(segment.direction, segment.bytes.at, segment.bytes.length, size);
    }
    return watch;
  }

  /** All of it, with one more cut before byte `cut` of the whole. */
  cutAt(cut: i32): Watch {
    const watch = new Watch();
    let before = 0;
    for (let i = 0; i < this.segments.length; i++) {
      const direction = this.segments[i].direction;
      const bytes = this.segments[i].bytes;
      const first = min(max(cut - before, 0), bytes.length);
      watch.feed(direction, bytes.at, first);
      watch.feed(direction, bytes.at + first, bytes.length - first);
      before += bytes.length;
    }
    return watch;
  }

  /** Only the first `length` bytes of the whole. */
  watchTo(length: i32): Watch {
    const watch = new Watch();
    let left = length;
    for (let i = 0; i < this.segments.length && left > 0; i++) {
      const bytes = this.segments[i].bytes;
      watch.feed(this.segments[i].direction, bytes.at, min(left, bytes.length));
      left -= bytes.length;
    }
    return watch;
  }
}
