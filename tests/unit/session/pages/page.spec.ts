import { sessionSize, tombstoneSize } from "../../../../assembly/session/pages/entry";
import { Page, PAGE_CAPACITY, storedLength } from "../../../../assembly/session/pages/page";
import { KeyedHash } from "../../../../assembly/shared/keyed_hash";
import { Names } from "../../../../assembly/shared/names";
import { Cause, Kind, Known, Origin, Session, Tombstone } from "../../../../assembly/session/record/session";
import { Decision } from "../../../../assembly/session/record/stamp";
import { FakeStore } from "../../support/fake_store";
import { idOf, session, Text } from "../../support/sessions";

const NAMES: Names = new Names("default", new FakeStore(), new KeyedHash());
const PAGE: usize = memory.data(16384, 8);

describe("a page", () => {
  it("gives back every field of a session, known or not", () => {
    const page = emptyPage();
    const full = fullSession(1);
    const bare = session(2, 60);
    bare.isOwn = true;
    bare.version = 8;
    page.appendSession(full, 3);
    page.appendSession(bare, 4);
    const read = new Session();

    const first = page.find(idOf(1), 32);
    expect(first != null).toBe(true);
    first!.readSession(read, NAMES);
    expect(read.kind).toBe(Kind.TICKET);
    expect(read.protocol).toBe(0x0303);
    expect(read.cipher).toBe(0xc02c);
    expect(text(read.sni, read.sniLength)).toBe("shop.example");
    expect(text(read.upstream, read.upstreamLength)).toBe("[2001:db8::1]:443");
    expect(text(read.ticketKey, 16)).toBe("0123456789abcdef");
    expect(read.time).toBe(1_790_000_000);
    expect(read.timeoutSeconds).toBe(2147483647);
    expect(read.lastUsed).toBe(1_790_000_009);
    expect(read.hits).toBe(42);
    expect(read.origin).toBe(Origin.API);
    expect(read.isOwn).toBe(false);
    expect(read.stamp).toBe(0x123456789abcdef0);
    expect(first!.decision).toBe(Decision.Addition);
    expect(read.version).toBe(7);
    expect(first!.generation).toBe(3);

    page.find(idOf(2), 32)!.readSession(read, NAMES);
    expect(read.known).toBe(Known.KIND | Known.TIMEOUT);
    expect(read.origin).toBe(Origin.OBSERVED);
    expect(read.isOwn).toBe(true);
    expect(read.stamp).toBe(0);
    expect(page.find(idOf(2), 32)!.decision).toBe(Decision.None);
    expect(read.sniLength).toBe(0);
    expect(page.sessions).toBe(2);
  });

  it("tells an empty SNI from an unknown one, and cipher suite 0 too", () => {
    const page = emptyPage();
    const odd = session(1);
    odd.known = Known.SNI | Known.CIPHER;
    odd.version = 1;
    page.appendSession(odd, 0);
    const read = new Session();
    page.first()!.readSession(read, NAMES);
    expect(read.knows(Known.SNI)).toBe(true);
    expect(read.knows(Known.CIPHER)).toBe(true);
    expect(read.knows(Known.PROTOCOL)).toBe(false);
  });

  it("gives back every field of a tombstone", () => {
    const page = emptyPage();
    const upstream = new Text("10.0.0.7:443");
    const grave = tombstone(5, 99, 1_800_000_000);
    grave.about.upstream = upstream.start;
    grave.about.upstreamLength = upstream.length;
    grave.about.known = Known.UPSTREAM;
    grave.stamp = 0x123456789abcdef0;
    page.appendTombstone(grave);
    const read = new Tombstone();
    page.find(idOf(5), 32)!.readTombstone(read);
    expect(read.idLength).toBe(32);
    const session = new Session();
    page.find(idOf(5), 32)!.readDescription(session, NAMES);
    expect(text(session.upstream, session.upstreamLength)).toBe("10.0.0.7:443");
    expect(session.known).toBe(Known.UPSTREAM);
    expect(session.kind).toBe(0, "nobody knows");
    expect(read.stamp).toBe(0x123456789abcdef0);
    expect(page.first()!.decision).toBe(Decision.Removal);
    expect(page.first()!.size).toBe(32 + 32 + 1 + upstream.length);
    expect(read.time).toBe(1_790_000_000);
    expect(read.until).toBe(1_800_000_000);
    expect(read.cause).toBe(Cause.FLUSH);
    expect(read.version).toBe(99);
    expect(page.tombstones).toBe(1);
  });

  it("keeps in a tombstone all that describes its session, of every kind, whether names stand inline or not", () => {
    const names = new Names("default", new FakeStore(), new KeyedHash());
    for (let round: u32 = 0; round < 24; round++) {
      const page = emptyPage();
      const held = fullSession(1);
      held.kind = <u8>(1 + (round % 3));
      held.origin = round & 4 ? Origin.API : Origin.OBSERVED;
      held.isOwn = held.origin == Origin.OBSERVED;
      held.session = round & 8 ? 0x1122334455667788 : 0;
      if (held.session != 0) held.known |= Known.SESSION;
      for (let meeting = 0; meeting < 2 && round >= 12; meeting++) {
        held.sniName = names.numberOf(held.sni, held.sniLength);
        held.upstreamName = names.numberOf(held.upstream, held.upstreamLength);
        held.ticketKeyName = names.numberOf(held.ticketKey, 16);
      }
      page.appendSession(held, 0);
      const entry = page.first()!;
      expect(entry.size).toBe(sessionSize(held));
      const grave = tombstone(1, 1, 1);
      entry.describe(grave);
      expect(tombstoneSize(grave)).toBe(entry.size - (held.origin == Origin.API ? 8 : 0));
      page.remove(entry);
      page.appendTombstone(grave);
      page.appendTombstone(tombstone(2, 2, 2));
      const buried = page.first()!;
      expect(buried.isTombstone).toBe(true);
      expect(buried.size).toBe(tombstoneSize(grave));
      expect(page.find(idOf(1), 32) == buried).toBe(true);
      expect(page.find(idOf(2), 32) == page.after(buried)).toBe(true);
      expect(buried.session).toBe(held.session);
      expect(buried.isOwn).toBe(held.isOwn);
      const read = new Session();
      buried.readDescription(read, names);
      expect(read.kind).toBe(held.kind);
      expect(read.protocol).toBe(0x0303);
      expect(read.cipher).toBe(0xc02c);
      expect(text(read.sni, read.sniLength)).toBe("shop.example");
      expect(text(read.upstream, read.upstreamLength)).toBe("[2001:db8::1]:443");
      expect(text(read.ticketKey, 16)).toBe("0123456789abcdef");
      expect(read.known).toBe(
        Known.KIND | Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY,
      );
      const again = new Tombstone();
      buried.readTombstone(again);
      expect(again.cause).toBe(Cause.FLUSH);
    }
    names.free();
  });

  it("closes the gap of what is removed and keeps the order", () => {
    const page = emptyPage();
    for (let i: u32 = 1; i <= 5; i++) {
      const added = session(i);
      added.version = i;
      page.appendSession(added, 0);
    }
    page.remove(page.find(idOf(3), 32)!);
    expect(page.sessions).toBe(4);
    expect(page.find(idOf(3), 32) == null).toBe(true);
    let versions: u64 = 0;
    let entry = page.first();
    while (entry) {
      versions = versions * 10 + entry.version;
      entry = page.after(entry);
    }
    expect(versions).toBe(1245);
    expect(page.firstAfter(2)!.version).toBe(4);
    expect(page.firstAfter(5) == null).toBe(true);
  });

  it("never grows beyond its capacity, and always has room for the tombstone of what it holds", () => {
    const page = emptyPage();
    let added: u32 = 0;
    while (page.appendSession(fullSession(added + 1), 0)) added++;
    expect(page.used <= <u32>PAGE_CAPACITY).toBe(true);
    expect(added > 20).toBe(true);
    for (let number: u32 = 1; number <= added; number++) {
      const grave = tombstone(number, 1, 1);
      const entry = page.find(idOf(number), 32)!;
      entry.describe(grave);
      expect(tombstoneSize(grave) <= entry.size).toBe(true);
      page.remove(entry);
      expect(page.appendTombstone(grave)).toBe(true);
    }
    expect(tombstoneSize(tombstone(1, 1, 1)) < sessionSize(session(1))).toBe(true);
  });

  it("numbers changes in one ascending row, whatever the clock says", () => {
    const page = emptyPage();
    expect(page.nextVersion(16_000)).toBe(1000, "steps of 16 ns");
    page.lastVersion = 1000;
    expect(page.nextVersion(16_000)).toBe(1001);
    expect(page.nextVersion(10)).toBe(1001);
    expect(page.nextVersion(80_015)).toBe(5000);
  });

  it("is not whole any more when any of its bytes has changed, and what is read of it then stays inside", () => {
    const whole = emptyPage();
    whole.appendSession(fullSession(1), 0);
    whole.appendTombstone(tombstone(2, 8, 1_800_000_000));
    whole.seal();
    expect(whole.isWhole(4095)).toBe(true);
    expect(whole.isWhole(<i32>whole.used)).toBe(true);
    expect(whole.isWhole(<i32>whole.used - 1)).toBe(false, "it was cut off");
    expect(whole.isWhole(10)).toBe(false);
    const start = changetype<usize>(whole);
    const used = whole.used;
    for (let at: u32 = 0; at < used; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const right = load<u8>(start + at);
        const flipped = 1 << bit;
        store<u8>(start + at, <u8>((<i32>right) ^ flipped));
        if (whole.isWhole(4095)) expect(at).toBe(u32.MAX_VALUE, "a changed byte is noticed");
        store<u8>(start + at, right);
      }
    }
    expect(whole.isWhole(4095)).toBe(true);
  });

  it("of another layout is none", () => {
    const page = emptyPage();
    store<u8>(changetype<usize>(page) + 12, 1);
    page.seal();
    expect(page.isWhole(4095)).toBe(false);
  });

  it("stands names in the page that are not in the table, and tells each of them", () => {
    const names = new Names("default", new FakeStore(), new KeyedHash());
    const page = emptyPage();
    const inline = fullSession(1);
    const shared = fullSession(2);
    for (let meeting = 0; meeting < 2; meeting++) {
      shared.sniName = names.numberOf(shared.sni, shared.sniLength);
      shared.upstreamName = names.numberOf(shared.upstream, shared.upstreamLength);
      shared.ticketKeyName = names.numberOf(shared.ticketKey, 16);
    }
    expect(sessionSize(inline) - sessionSize(shared)).toBe(1 + 12 + 1 + 17 + 16);
    page.appendSession(inline, 0);
    page.appendSession(shared, 0);
    const read = new Session();
    for (let number: u32 = 1; number <= 2; number++) {
      const entry = page.find(idOf(number), 32)!;
      expect(entry.size).toBe(sessionSize(number == 1 ? inline : shared));
      entry.readSession(read, names);
      expect(text(read.sni, read.sniLength)).toBe("shop.example");
      expect(text(read.upstream, read.upstreamLength)).toBe("[2001:db8::1]:443");
      expect(text(read.ticketKey, 16)).toBe("0123456789abcdef");
    }
    names.free();
  });

  it("is stored with a length that leaves room for some more", () => {
    expect(storedLength(32)).toBe(255);
    expect(storedLength(255)).toBe(255);
    expect(storedLength(256)).toBe(511);
    expect(storedLength(4095)).toBe(PAGE_CAPACITY);
  });
});

function emptyPage(): Page {
  const page = changetype<Page>(PAGE);
  page.reset();
  return page;
}

function fullSession(number: u32): Session {
  const sni = new Text("shop.example");
  const upstream = new Text("[2001:db8::1]:443");
  const key = new Text("0123456789abcdef");
  const made = session(number);
  made.kind = Kind.TICKET;
  made.protocol = 0x0303;
  made.cipher = 0xc02c;
  made.sni = sni.start;
  made.sniLength = sni.length;
  made.upstream = upstream.start;
  made.upstreamLength = upstream.length;
  made.ticketKey = key.start;
  made.time = 1_790_000_000;
  made.timeoutSeconds = 2147483647;
  made.lastUsed = 1_790_000_009;
  made.hits = 42;
  made.origin = Origin.API;
  made.stamp = 0x123456789abcdef0;
  made.version = 7;
  made.known =
    Known.KIND |
    Known.PROTOCOL |
    Known.CIPHER |
    Known.SNI |
    Known.UPSTREAM |
    Known.TICKET_KEY |
    Known.TIMEOUT |
    Known.LAST_USED;
  return made;
}

function tombstone(number: u32, version: u64, until: u64): Tombstone {
  const made = new Tombstone();
  made.id = idOf(number);
  made.idLength = 32;
  made.time = 1_790_000_000;
  made.until = until;
  made.cause = Cause.FLUSH;
  made.version = version;
  return made;
}

function text(start: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(start, length);
}
