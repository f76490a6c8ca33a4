/**
 * The build identity of a module, the `build` of the admin API: 64 hex digits in the module, the SHA-256 of all its bytes with 64
 * zeros in the place of the digits. So it depends on every byte, and a file shows by itself whether it is as it was built.
 *
 * The place is behind MARKER, in ASCII, in a data segment (`assembly/filters/cache/module_build.ts`). A module with zeros there has
 * no build identity.
 */
import { createHash } from "node:crypto";

export interface Identity {
  /** The digits in the place; null if they are zeros. */
  shown: string | null;
  /** The digits that belong there. */
  computed: string;
}

/** Returns what a module shows and what it should show, or why it cannot show anything: a clause about the module. */
export function readIdentity(module: Uint8Array): Identity | string {
  const bytes = Buffer.from(module);
  const place = placeIn(bytes);
  if (typeof place === "string") return place;
  const digits = bytes.toString("latin1", place, place + NONE.length);
  bytes.write(NONE, place, "latin1");
  return { shown: digits === NONE ? null : digits, computed: hashOf(bytes) };
}

/** Returns the module with its identity in the place of the zeros, or why there is no place for one: a clause about the module. */
export function withIdentity(module: Uint8Array): Buffer | string {
  const identity = readIdentity(module);
  if (typeof identity === "string") return identity;
  if (identity.shown !== null) return "it has a build identity already";
  const bytes = Buffer.from(module);
  bytes.write(identity.computed, bytes.indexOf(MARKER, "latin1") + MARKER.length, "latin1");
  return bytes;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The offset of the digits, or why there are none. */
function placeIn(bytes: Buffer): number | string {
  if (!bytes.subarray(0, WASM.length).equals(WASM)) return "it is not a WebAssembly module";
  const marker = bytes.indexOf(MARKER, "latin1");
  if (marker < 0) return "it has no place for a build identity: another program, or a version before build identities";
  if (bytes.indexOf(MARKER, marker + 1, "latin1") >= 0) return "it has more than one place for a build identity";
  const place = marker + MARKER.length;
  const isWhole = /^[0-9a-f]{64}$/.test(bytes.toString("latin1", place, place + NONE.length));
  return isWhole ? place : "the place of its build identity does not hold 64 hex digits";
}

/** A tool for the command line can find it, too: `grep -a`. */
const MARKER = "tls-session-cache build ";
const NONE = "0".repeat(64);
/** The magic bytes, and version 1 (WebAssembly Core Specification, 5.5.16). */
const WASM = Buffer.from("\0asm\x01\0\0\0", "latin1");
