import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type Identity, readIdentity, withIdentity } from "./identity.ts";

const HEADER = "\0asm\x01\0\0\0";
const MARKER = "tls-session-cache build ";
const PLACE = MARKER + "0".repeat(64);

describe("a build identity", () => {
  const plain = bytes(HEADER, "some code \xff", PLACE, "other code");
  const built = withIdentity(plain) as Buffer;

  it("is the SHA-256 of the module with zeros in its place, and nothing else of the module changes", () => {
    const digits = createHash("sha256").update(plain).digest("hex");
    assert.equal(built.toString("latin1"), plain.toString("latin1").replace(PLACE, MARKER + digits));
    assert.deepEqual(readIdentity(built), { shown: digits, computed: digits });
    assert.deepEqual(readIdentity(plain), { shown: null, computed: digits });
  });

  it("does not agree with a module that was changed in any byte behind its header", () => {
    for (let at = HEADER.length; at < built.length; at++) {
      const changed = Buffer.from(built);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const identity = readIdentity(changed);
      if (typeof identity !== "string") assert.notEqual(identity.shown, identity.computed, `byte ${at}`);
    }
    const cut = readIdentity(built.subarray(0, -1)) as Identity;
    assert.notEqual(cut.shown, cut.computed);
  });

  it("needs exactly one place, with digits in it", () => {
    for (const [module, fault] of [
      [bytes("some text", PLACE), /not a WebAssembly module/],
      [bytes(HEADER), /no place for a build identity/],
      [bytes(HEADER, PLACE, "between", PLACE), /more than one place/],
      [bytes(HEADER, PLACE, MARKER), /more than one place/],
      [bytes(HEADER, PLACE.slice(0, -1)), /does not hold 64 hex digits/],
      [bytes(HEADER, PLACE.slice(0, -1), "G"), /does not hold 64 hex digits/],
    ] as const) {
      assert.match(String(readIdentity(module)), fault);
      assert.match(String(withIdentity(module)), fault);
    }
  });

  it("is given once", () => assert.match(String(withIdentity(built)), /has a build identity already/));
});

function bytes(...parts: string[]): Buffer {
  return Buffer.from(parts.join(""), "latin1");
}
