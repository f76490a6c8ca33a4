import { KeyOutcome } from "../../../assembly/session/revocation/ticket_keys";
import { RevocationOutcome } from "../../../assembly/session/revocation/revocations";
import { FakeClock } from "../support/fake_clock";
import { FakeEtcd } from "../support/fake_journal";
import { Proxy, settle } from "../support/fleet";
import { idOf, Text } from "../support/sessions";

const DAY: i64 = 86_400;
const NAMES: string = "n/r/";
const KEYS: string = "n/t/";

function pair(): Proxy[] {
  const etcd = new FakeEtcd();
  return [new Proxy(etcd, "one"), new Proxy(etcd, "two")];
}

function revoke(proxy: Proxy, name: string): void {
  const sni = new Text(name);
  // So long that no revocation ends meanwhile.
  const outcome = proxy.cache.revocations.revoke(sni.start, sni.length, 100 * <u32>DAY);
  expect(outcome).toBe(RevocationOutcome.Done);
}

function lift(proxy: Proxy, name: string): void {
  const sni = new Text(name);
  expect(proxy.cache.revocations.lift(sni.start, sni.length)).toBe(RevocationOutcome.Done);
}

function isRevoked(proxy: Proxy, name: string): bool {
  const sni = new Text(name);
  proxy.cache.readSettings();
  return proxy.cache.revocations.revokedAt(sni.start, sni.length) != 0;
}

function nameOf(number: i32): string {
  return "shop" + number.toString() + ".example";
}

/** Days pass for all, and a minute in which they work. */
function pass(proxies: Proxy[], days: i64): void {
  for (let i = 0; i < proxies.length; i++) proxies[i].clock.advance(days * DAY);
  settle(proxies, 70);
}

/** A name that one proxy has revoked and the other one has lifted. */
function liftedName(): Proxy[] {
  const proxies = pair();
  settle(proxies);
  revoke(proxies[0], "shop.example");
  settle(proxies);
  lift(proxies[1], "shop.example");
  settle(proxies);
  expect(isRevoked(proxies[0], "shop.example")).toBe(false);
  return proxies;
}

function count(proxies: Proxy[], prefix: string): i32 {
  return proxies[0].journal.etcd.beginningWith(prefix).length;
}

describe("the trace of a lifted decision", () => {
  it("stays in the journal for a week, and is deleted by its writer then", () => {
    const proxies = liftedName();
    pass(proxies, 6);
    expect(count(proxies, NAMES)).toBe(1);
    // The one that has not written it alone does not delete it.
    pass([proxies[0]], 1);
    expect(count(proxies, NAMES)).toBe(1);
    pass([proxies[1]], 1);
    expect(count(proxies, NAMES)).toBe(0);
  });

  it("is deleted by any proxy a day later, such as after a restart of its writer", () => {
    const proxies = liftedName();
    const late = new Proxy(proxies[0].journal.etcd, "two", new FakeClock(proxies[1].clock.nanoseconds));
    pass([late], 7);
    expect(count(proxies, NAMES)).toBe(1);
    pass([late], 1);
    expect(count(proxies, NAMES)).toBe(0);
  });

  it("is not told again by a proxy that still has it, also if its clock is late", () => {
    const proxies = liftedName();
    proxies[0].clock.set(-3600);
    pass(proxies, 7);
    expect(count(proxies, NAMES)).toBe(0);
    const revision = proxies[0].journal.etcd.revision;
    const presences = proxies[0].journal.etcd.markOf("p/one") > 0;
    expect(presences).toBe(true);
    pass(proxies, 0);
    expect(count(proxies, NAMES)).toBe(0);
    const log = proxies[0].journal.etcd.log;
    for (let i = 0; i < log.length; i++) {
      if (log[i].mark > revision) expect(log[i].key.startsWith(NAMES)).toBe(false, "nobody has written it again");
    }
  });

  it("is kept if its name was revoked again, which holds", () => {
    const proxies = liftedName();
    pass(proxies, 3);
    revoke(proxies[0], "shop.example");
    pass(proxies, 6);
    expect(count(proxies, NAMES)).toBe(1);
    expect(isRevoked(proxies[1], "shop.example")).toBe(true);
    pass(proxies, 10);
    expect(count(proxies, NAMES)).toBe(1);
  });

  it("is not deleted if a later value that has not come yet stands in its place", () => {
    const proxies = liftedName();
    pass(proxies, 6);
    // Its writer does not hear of the revocation, and tries to delete the trace.
    proxies[1].journal.isHeldBack = true;
    revoke(proxies[0], "shop.example");
    pass(proxies, 3);
    expect(count(proxies, NAMES)).toBe(1);
    proxies[1].journal.isHeldBack = false;
    settle(proxies);
    expect(isRevoked(proxies[1], "shop.example")).toBe(true);
  });

  it("leaves room for a later decision after it was deleted", () => {
    const proxies = liftedName();
    pass(proxies, 8);
    expect(count(proxies, NAMES)).toBe(0);
    revoke(proxies[0], "shop.example");
    settle(proxies);
    expect(count(proxies, NAMES)).toBe(1);
    expect(isRevoked(proxies[1], "shop.example")).toBe(true);
  });

  it("of a ticket key goes as well; that of a configured or removed one stays", () => {
    const proxies = pair();
    settle(proxies);
    const upstream = new Text("10.0.0.7:443");
    const keys = proxies[0].cache.ticketKeys;
    for (let number: u32 = 1; number <= 3; number++) expect(keys.remove(idOf(number))).toBe(KeyOutcome.Removed);
    settle(proxies);
    expect(keys.lift(idOf(1))).toBe(KeyOutcome.Replaced);
    expect(keys.configure(idOf(2), upstream.start, upstream.length)).toBe(KeyOutcome.Replaced);
    settle(proxies);
    expect(count(proxies, KEYS)).toBe(3);
    pass(proxies, 30);
    expect(count(proxies, KEYS)).toBe(2);
  });

  it("is deleted later if that fails, and all of many are", () => {
    const proxies = pair();
    settle(proxies);
    for (let number = 0; number < 100; number++) revoke(proxies[0], nameOf(number));
    settle(proxies, 150);
    for (let number = 0; number < 100; number++) lift(proxies[0], nameOf(number));
    settle(proxies, 150);
    expect(count(proxies, NAMES)).toBe(100);
    proxies[0].clock.advance(8 * DAY);
    proxies[0].journal.failures = 5;
    settle([proxies[0]], 500);
    expect(count(proxies, NAMES)).toBe(0);
  });
});

describe("a named decision whose key somebody deletes", () => {
  it("is told again if it still holds", () => {
    const proxies = pair();
    settle(proxies);
    revoke(proxies[0], "shop.example");
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    etcd.remove(etcd.beginningWith(NAMES)[0]);
    settle(proxies);
    expect(count(proxies, NAMES)).toBe(1);
    expect(isRevoked(proxies[1], "shop.example")).toBe(true);
  });
});
