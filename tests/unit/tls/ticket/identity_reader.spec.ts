import { IDENTITY_READER_SIZE, IdentityReader } from "../../../../assembly/tls/ticket/identity_reader";
import { TICKET_IDENTITY_SIZE, TicketIdentity } from "../../../../assembly/tls/ticket/ticket_identity";
import { Bytes, hashOf, hexOf } from "../../support/hello_bytes";
import { formedTicket } from "../../support/hello_builder";

const reader = changetype<IdentityReader>(memory.data(IDENTITY_READER_SIZE, 8));
const whole = changetype<TicketIdentity>(memory.data(TICKET_IDENTITY_SIZE, 8));
const shorter = changetype<TicketIdentity>(memory.data(TICKET_IDENTITY_SIZE, 8));

/** Reads an identity in two pieces, the first of `cut` bytes; answers the lengths and hashes of shorter forms, in their order. */
function forms(identity: Bytes, cut: i32): string {
  let told = "";
  reader.start(identity.length);
  let at = 0;
  while (at < identity.length) {
    const end = at < cut ? cut : identity.length;
    const taken = reader.push(identity.at + <usize>at, end - at);
    if (taken < 1 || taken > end - at) return "miscounted";
    at += taken;
    if (!reader.endsForm) continue;
    reader.takeForm(shorter);
    told += shorter.length.toString() + "=" + hexOf(shorter.hash, 32) + "/" + hexOf(shorter.key, 16) + " ";
  }
  reader.finish(whole);
  return told;
}

/** What `forms` answers for the first bytes of an identity. */
function form(identity: Bytes, length: i32): string {
  const first = identity.slice(0, length);
  return length.toString() + "=" + hashOf(first) + "/" + hexOf(first.at, 16) + " ";
}

/** The shorter forms of an identity, the same wherever it was cut. */
function formsOf(identity: Bytes): string {
  const told = forms(identity, 0);
  for (let cut = 1; cut < identity.length; cut++) {
    const other = forms(identity, cut);
    if (other != told) return "cut differently at " + cut.toString() + ": " + other + "or " + told;
    if (hexOf(whole.hash, 32) != hashOf(identity)) return "another hash, cut at " + cut.toString();
  }
  return told;
}

describe("an identity", () => {
  it("is its length, its SHA-256 and its first bytes, wherever it was cut", () => {
    for (let length = 1; length < 140; length += length < 36 ? 1 : 13) {
      const identity = Bytes.counting(length, 0xf0);
      for (let cut = 0; cut < length; cut++) {
        forms(identity, cut);
        expect(whole.length).toBe(length);
        expect(hexOf(whole.hash, 32)).toBe(hashOf(identity));
        expect(hexOf(whole.key, 16)).toBe(length < 16 ? "none" : hexOf(identity.at, 16));
      }
    }
  });

  it("has no shorter form where it ends with the shortest MAC, or before", () => {
    for (let length = 1; length <= 34 + 40 + 20; length++) {
      expect(formsOf(formedTicket(40, 20).slice(0, length))).toBe("", length.toString());
    }
  });

  it("has no shorter form where the length of its state reaches behind its end", () => {
    const identity = formedTicket(40, 16).append(Bytes.counting(100));
    identity.overwrite(32, 0xff);
    expect(formsOf(identity)).toBe("");
  });

  it("may be meant without what follows a MAC of 20 or 32 bytes", () => {
    const identity = formedTicket(40, 60);
    const mac20 = form(identity, 34 + 40 + 20);
    const mac32 = form(identity, 34 + 40 + 32);
    for (let mac = 21; mac <= 60; mac += mac < 34 ? 1 : 9) {
      const told = formsOf(identity.slice(0, 34 + 40 + mac));
      expect(told).toBe(mac20 + (mac > 32 ? mac32 : ""), mac.toString());
      expect(reader.isWholeForm).toBe(mac == 32, mac.toString());
    }
  });

  it("may have a form without any state", () => {
    const identity = formedTicket(0, 21);
    expect(formsOf(identity)).toBe(form(identity, 34 + 20));
  });

  it("reads past a form that nobody has room for", () => {
    const identity = formedTicket(5, 33);
    reader.start(identity.length);
    let at = 0;
    let passed = 0;
    while (at < identity.length) {
      at += reader.push(identity.at + <usize>at, identity.length - at);
      if (!reader.endsForm) continue;
      reader.passForm();
      passed++;
    }
    reader.finish(whole);
    expect(passed).toBe(2);
    expect(hexOf(whole.hash, 32)).toBe(hashOf(identity));
  });
});
