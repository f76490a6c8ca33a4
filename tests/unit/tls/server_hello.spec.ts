import { parseErrorName } from "../../../assembly/tls/parse_error";
import { ANSWER_SIZE, Answer, readServerHello } from "../../../assembly/tls/server_hello";
import { Bytes, hexOf } from "../support/hello_bytes";
import { ServerHelloBuilder } from "../support/hello_builder";

const answer = changetype<Answer>(memory.data(ANSWER_SIZE, 8));

function error(body: Bytes): string {
  return parseErrorName(readServerHello(body.at, body.length, answer));
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

  it("chooses TLS 1.3 and a PSK in its extensions", () => {
    expect(error(hello().tls13().psk(3).body())).toBe("none");
    expect(answer.version).toBe(0x0304);
    expect(answer.selectedPsk).toBe(3);
  });

  it("forgets the PSK of the hello before", () => {
    error(hello().tls13().psk(3).body());
    expect(error(hello().tls13().body())).toBe("none");
    expect(answer.selectedPsk).toBe(-1);
  });

  it("may choose every version from SSL 3.0 to TLS 1.2 and nothing around them", () => {
    for (let version = 0x0300; version <= 0x0303; version++) {
      expect(error(hello().version(version).body())).toBe("none");
      expect(answer.version).toBe(version);
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
  });

  it("may lack extensions altogether", () => {
    expect(error(hello().noExtensions().body())).toBe("none");
  });

  it("is malformed truncated at any byte", () => {
    const whole = hello().sessionId(Bytes.counting(8)).tls13().psk(0).body();
    let accepted = -1;
    for (let length = 0; length < whole.length; length++) {
      if (error(whole.slice(0, length)) == "none") accepted = length;
    }
    // Without its extensions it is a whole hello of TLS 1.2.
    expect(accepted).toBe(2 + 32 + 1 + 8 + 2 + 1);
    expect(error(whole.slice(0, whole.length - 1))).toBe("server_hello_truncated");
    expect(error(whole.slice(0, 20))).toBe("server_hello_truncated");
  });

  it("is malformed where an extension reaches past all of them", () => {
    const tooLong = hello().extension(0x1234, Bytes.of("0102")).body();
    expect(error(tooLong.overwrite(tooLong.length - 3, 3))).toBe("server_hello_truncated");
  });

  it("is malformed with bytes behind, a long session ID, or an extension twice", () => {
    expect(error(hello().tls13().body().u8(0))).toBe("server_hello_trailing");
    expect(error(hello().sessionId(Bytes.counting(33)).body())).toBe("session_id_too_long");
    expect(error(hello().tls13().tls13().body())).toBe("duplicate_extension");
    expect(error(hello().tls13().extension(0x29, Bytes.of("00")).body())).toBe("pre_shared_key");
    expect(error(hello().tls13().extension(0x29, Bytes.of("000000")).body())).toBe("pre_shared_key");
  });
});
