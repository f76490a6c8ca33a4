import { parseErrorName } from "../../../../assembly/tls/wire/parse_error";
import { SERVER_HELLO_READER_SIZE, ServerHelloReader } from "../../../../assembly/tls/hello/server_hello";
import { Bytes, hexOf } from "../../support/hello_bytes";
import { ServerHelloBuilder } from "../../support/hello_builder";

const answer = changetype<ServerHelloReader>(memory.data(SERVER_HELLO_READER_SIZE, 8));

function all(): string {
  const text = parseErrorName(answer.error) + " " + answer.version.toString(16) + " " + answer.cipher.toString(16);
  const id = hexOf(answer.sessionId, answer.sessionIdLength);
  const flags = answer.retry.toString() + " " + answer.promisesTicket.toString();
  return text + " " + answer.selectedPsk.toString() + " " + id + " " + flags;
}

function readInPieces(body: Bytes, size: i32): void {
  answer.start(body.length);
  let whole = body.length == 0 && answer.push(0, 0);
  for (let at = 0; at < body.length; at += size) {
    if (whole) throw new Error("whole before its end");
    whole = answer.push(body.at + <usize>at, min(size, body.length - at));
  }
  if (!whole) throw new Error("not whole at its end");
}

/** What is wrong with a hello, the same in pieces of any size. */
function error(body: Bytes): string {
  readInPieces(body, max(body.length, 1));
  const whole = all();
  for (let size = 1; size < body.length; size++) {
    readInPieces(body, size);
    if (all() != whole) return "cut differently: " + whole + " or " + all();
  }
  return parseErrorName(answer.error);
}

function hello(): ServerHelloBuilder {
  return new ServerHelloBuilder();
}

describe("a ServerHello", () => {
  it("shows version, cipher suite and session ID", () => {
    expect(error(hello().sessionId(Bytes.counting(32, 5)).cipher(0xc030).body())).toBe("none");
    expect(answer.version).toBe(0x0303);
    expect(answer.cipher).toBe(0xc030);
    expect(hexOf(answer.sessionId, answer.sessionIdLength)).toBe(hexOf(Bytes.counting(32, 5).at, 32));
    expect(answer.selectedPsk).toBe(-1);
    expect(answer.retry).toBe(false);
  });

  it("chooses TLS 1.3 and a PSK in its extensions, in any order", () => {
    expect(error(hello().tls13().psk(3).body())).toBe("none");
    expect(answer.version).toBe(0x0304);
    expect(answer.selectedPsk).toBe(3);
    expect(error(hello().psk(0x1234).extension(0x33, Bytes.counting(36)).tls13().body())).toBe("none");
    expect(answer.version).toBe(0x0304);
    expect(answer.selectedPsk).toBe(0x1234);
  });

  it("says that a ticket is going to be issued, empty as it is", () => {
    expect(error(hello().extension(0x17, new Bytes()).body())).toBe("none");
    expect(answer.promisesTicket).toBe(false);
    expect(error(hello().extension(0x17, new Bytes()).extension(0x23, new Bytes()).body())).toBe("none");
    expect(answer.promisesTicket).toBe(true);
  });

  it("forgets the hello before", () => {
    error(hello().sessionId(Bytes.counting(9)).tls13().retry().psk(3).extension(0x23, new Bytes()).body().u8(1));
    expect(error(hello().tls13().body())).toBe("none");
    expect(answer.selectedPsk).toBe(-1);
    expect(answer.sessionIdLength).toBe(0);
    expect(answer.retry).toBe(false);
    expect(answer.promisesTicket).toBe(false);
  });

  it("may choose every version from SSL 3.0 to TLS 1.2 and nothing around them", () => {
    for (let version = 0x0300; version <= 0x0303; version++) {
      expect(error(hello().version(version).body())).toBe("none");
      expect(answer.version).toBe(<u16>version);
    }
    expect(error(hello().version(0x02ff).body())).toBe("server_version");
    expect(error(hello().version(0x0304).body())).toBe("server_version");
  });

  it("may choose nothing but TLS 1.3 in supported_versions", () => {
    expect(error(hello().extension(0x2b, Bytes.of("0303")).body())).toBe("server_version");
    expect(error(hello().extension(0x2b, Bytes.of("7f1c")).body())).toBe("server_version");
    expect(error(hello().extension(0x2b, Bytes.of("03")).body())).toBe("supported_versions");
    expect(error(hello().extension(0x2b, Bytes.of("030400")).body())).toBe("supported_versions");
  });

  it("is a HelloRetryRequest by its random, and then of TLS 1.3", () => {
    expect(error(hello().tls13().retry().body())).toBe("none");
    expect(answer.retry).toBe(true);
    expect(error(hello().retry().body())).toBe("server_version");
    for (let i = 0; i < 32; i++) {
      const other = hello().tls13().retry().body();
      expect(error(other.overwrite(2 + i, other.byte(2 + i) ^ 1))).toBe("none");
      expect(answer.retry).toBe(false);
    }
  });

  it("may lack extensions altogether", () => {
    expect(error(hello().noExtensions().body())).toBe("none");
  });

  it("is malformed truncated at any byte", () => {
    const whole = hello().sessionId(Bytes.counting(8)).tls13().psk(0).body();
    // Without its extensions it is a whole hello of TLS 1.2.
    const bare = 2 + 32 + 1 + 8 + 2 + 1;
    for (let length = 0; length < whole.length; length++) {
      const said = error(whole.slice(0, length));
      expect(said).toBe(length == bare ? "none" : "server_hello_truncated", length.toString());
    }
  });

  it("is malformed where an extension reaches past all of them, or its header does", () => {
    const tooLong = hello().extension(0x1234, Bytes.of("0102")).body();
    expect(error(tooLong.overwrite(tooLong.length - 3, 3))).toBe("server_hello_truncated");
    expect(error(hello().noExtensions().body().vector16(Bytes.of("123400")))).toBe("server_hello_truncated");
  });

  it("may echo a session ID that is longer than any may be, and has none then", () => {
    expect(error(hello().sessionId(Bytes.counting(33)).tls13().psk(3).body())).toBe("none");
    expect(answer.sessionIdLength).toBe(0);
    expect(answer.selectedPsk).toBe(3);
  });

  it("is malformed with bytes behind, or an index that is no u16", () => {
    expect(error(hello().tls13().body().u8(0))).toBe("server_hello_trailing");
    expect(error(hello().tls13().extension(0x29, Bytes.of("00")).body())).toBe("pre_shared_key");
    expect(error(hello().tls13().extension(0x29, Bytes.of("000000")).body())).toBe("pre_shared_key");
  });

  it("shows the last of what it says twice", () => {
    expect(error(hello().tls13().tls13().psk(1).psk(2).body())).toBe("none");
    expect(answer.version).toBe(0x0304);
    expect(answer.selectedPsk).toBe(2);
  });

  it("may be of any length", () => {
    const body = hello().extension(0x1234, Bytes.counting(40000)).tls13().body();
    readInPieces(body, 977);
    expect(parseErrorName(answer.error)).toBe("none");
    expect(answer.version).toBe(0x0304);
  });
});
