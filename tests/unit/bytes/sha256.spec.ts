import {
  SHA256_SIZE,
  SHA256_STATE_SIZE,
  sha256,
  sha256Final,
  sha256Init,
  sha256Update,
} from "../../../assembly/bytes/sha256";
import { Bytes, hexOf } from "../support/hello_bytes";

const state = memory.data(SHA256_STATE_SIZE, 8);
const out = memory.data(SHA256_SIZE, 8);

function hash(bytes: Bytes): string {
  sha256(bytes.at, bytes.length, out);
  return hexOf(out, SHA256_SIZE);
}

/** The hash of `bytes` in two pieces. */
function split(bytes: Bytes, at: i32): string {
  sha256Init(state);
  sha256Update(state, bytes.at, at);
  sha256Update(state, bytes.at + at, bytes.length - at);
  sha256Final(state, out);
  return hexOf(out, SHA256_SIZE);
}

describe("SHA-256", () => {
  // The examples that NIST publishes with FIPS 180-4.
  it("gives the published values", () => {
    expect(hash(Bytes.text("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(hash(new Bytes())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(hash(Bytes.text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
    expect(
      hash(
        Bytes.text(
          "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        ),
      ),
    ).toBe("cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  });

  it("gives the published value for a million letters, streamed", () => {
    const letters = new Bytes();
    for (let i = 0; i < 1000; i++) letters.u8(0x61);
    sha256Init(state);
    for (let i = 0; i < 1000; i++) sha256Update(state, letters.at, 1000);
    sha256Final(state, out);
    expect(hexOf(out, SHA256_SIZE)).toBe("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  });

  it("gives the same value split anywhere, for every length around a block's edges", () => {
    let differing = 0;
    for (let length = 0; length <= 130; length++) {
      const bytes = Bytes.counting(length);
      const whole = hash(bytes);
      for (let at = 0; at <= length; at++) if (split(bytes, at) != whole) differing++;
    }
    expect(differing).toBe(0);
  });

  // openssl dgst -sha256 of the bytes 0, 1, 2, ... of these lengths
  it("pads right whether the length just fits or not", () => {
    expect(hash(Bytes.counting(55))).toBe("463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59");
    expect(hash(Bytes.counting(56))).toBe("da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562");
    expect(hash(Bytes.counting(64))).toBe("fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
  });
});
