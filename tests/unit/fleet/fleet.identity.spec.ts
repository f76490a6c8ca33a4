import { FleetMetric } from "../../../assembly/fleet/state/metrics";
import { Resync } from "../../../assembly/ports/journal";
import { Lookup } from "../../../assembly/session/cache";
import { Cause } from "../../../assembly/session/record/session";
import { FakeEtcd } from "../support/fake_journal";
import { Proxy, settle } from "../support/fleet";
import { idOf, look, Text } from "../support/sessions";

const META: string = "meta";
const REMOVALS: u32 = 20;

function pair(): Proxy[] {
  const etcd = new FakeEtcd();
  return [new Proxy(etcd, "one"), new Proxy(etcd, "two")];
}

function remove(proxy: Proxy, number: u32): void {
  proxy.cache.remove(idOf(number), 32, Cause.API);
}

/** Removals of both, a revoked name of one and a setting of the other. */
function decide(proxies: Proxy[]): void {
  // Settings of before belong to the configuration.
  settle(proxies);
  for (let number: u32 = 0; number < REMOVALS; number++) remove(proxies[number & 1], number);
  const sni = new Text("shop.example");
  proxies[0].cache.revocations.revoke(sni.start, sni.length);
  proxies[1].cache.settings.changeTimeout(77);
}

/** A proxy that starts has all decisions of `decide`. */
function expectKnown(etcd: FakeEtcd): void {
  const late = new Proxy(etcd, "three");
  settle([late]);
  for (let number: u32 = 0; number < REMOVALS; number++) expect(look(late.cache, number)).toBe(Lookup.Removed);
  const sni = new Text("shop.example");
  late.cache.settings.load();
  expect(late.cache.revocations.revokedAt(sni.start, sni.length)).toBeGreaterThan(0);
  expect(late.cache.settings.timeoutSeconds).toBe(77);
}

function identityOf(etcd: FakeEtcd): string {
  const value = etcd.keys.get(META).value;
  let text = "";
  for (let i = 0; i < value.byteLength; i++) text += load<u8>(changetype<usize>(value) + i).toString() + " ";
  return text;
}

function losses(proxy: Proxy): u64 {
  return proxy.metrics.read(FleetMetric.RESYNCS + Resync.LOST);
}

describe("the identity of a fleet", () => {
  it("is created once, by whoever finds none", () => {
    const proxies = pair();
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    const made = etcd.markOf(META);
    expect(made).toBeGreaterThan(0);
    expect(etcd.keys.get(META).value.byteLength).toBe(16);
    const late = new Proxy(etcd, "three");
    settle([proxies[0], proxies[1], late]);
    expect(etcd.markOf(META)).toBe(made, "nobody has written it again");
    expect(losses(proxies[0]) + losses(proxies[1]) + losses(late)).toBe(0);
  });

  it("is left to whoever came first", () => {
    const proxies = pair();
    // Both have read everything, and neither has found one.
    proxies[0].work();
    proxies[1].work();
    settle(proxies);
    expect(proxies[0].journal.etcd.log.filter((kept) => kept.key == META).length).toBe(1);
  });

  it("is made anew when the keys of the fleet are deleted, and all proxies tell again whatever they hold", () => {
    const proxies = pair();
    decide(proxies);
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    const before = identityOf(etcd);
    const keys = etcd.beginningWith("");
    for (let i = 0; i < keys.length; i++) etcd.remove(keys[i]);
    settle(proxies);
    expect(identityOf(etcd)).not.toBe(before);
    expect(losses(proxies[0])).toBe(1);
    expect(losses(proxies[1])).toBe(1);
    expectKnown(etcd);
  });

  it("of another store has the next leader tell again whatever this proxy holds, those of other proxies as well", () => {
    const proxies = pair();
    decide(proxies);
    settle(proxies);
    const other = new FakeEtcd();
    proxies[0].moveTo(other);
    settle(proxies);
    expect(losses(proxies[0])).toBe(1);
    expect(losses(proxies[1])).toBe(0);
    expectKnown(other);
  });

  it("of the same store has the next leader tell nothing again", () => {
    const proxies = pair();
    decide(proxies);
    settle(proxies);
    const batches = proxies[0].journal.etcd.beginningWith("d/").length;
    proxies[0].changeLeader();
    settle(proxies);
    expect(losses(proxies[0])).toBe(0);
    expect(proxies[0].journal.etcd.beginningWith("d/").length).toBe(batches);
  });

  it("is not one more loss if the journal has found out by itself that everything is gone", () => {
    const proxies = pair();
    decide(proxies);
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    const keys = etcd.beginningWith("");
    for (let i = 0; i < keys.length; i++) etcd.keys.delete(keys[i]);
    proxies[0].journal.begin(Resync.LOST);
    proxies[1].journal.begin(Resync.LOST);
    settle(proxies);
    expect(losses(proxies[0])).toBe(1);
    expect(losses(proxies[1])).toBe(1);
    expectKnown(etcd);
  });

  it("has proxies tell everything again once a minute at most, whoever changes it how often", () => {
    const proxies = pair();
    decide(proxies);
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    for (let change = 0; change < 50; change++) {
      etcd.put(META, String.UTF8.encode(change.toString().padStart(16, "0")));
      settle(proxies, 1);
    }
    expect(losses(proxies[0])).toBe(1);
    settle(proxies, 60);
    expect(losses(proxies[0])).toBe(2, "the changes since then count as one");
    settle(proxies, 200);
    expect(losses(proxies[0])).toBe(2);
  });

  it("that is too short is counted, and left as it is", () => {
    const etcd = new FakeEtcd();
    const mark = etcd.put(META, String.UTF8.encode("short"));
    const proxy = new Proxy(etcd, "one");
    settle([proxy], 20);
    expect(etcd.markOf(META)).toBe(mark);
    expect(proxy.metrics.read(FleetMetric.SKIPPED)).toBe(1);
    expect(losses(proxy)).toBe(0);
  });

  it("with bytes that this module does not know is the same by its first ones", () => {
    const proxies = pair();
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    const value = new ArrayBuffer(24);
    memory.copy(changetype<usize>(value), changetype<usize>(etcd.keys.get(META).value), 16);
    memory.fill(changetype<usize>(value) + 16, 7, 8);
    etcd.put(META, value);
    settle(proxies);
    expect(losses(proxies[0])).toBe(0);
    expect(proxies[0].metrics.read(FleetMetric.SKIPPED)).toBe(0);
  });

  it("is tried again more and more rarely if it may not be written", () => {
    const etcd = new FakeEtcd();
    const proxy = new Proxy(etcd, "one");
    proxy.journal.denied = META;
    settle([proxy], 3600);
    expect(etcd.markOf(META)).toBe(0);
    expect(proxy.journal.denials).toBeGreaterThan(8);
    expect(proxy.journal.denials).toBeLessThan(20);
    remove(proxy, 1);
    settle([proxy]);
    expect(etcd.beginningWith("d/").length).toBe(1, "decisions are told all the same");
    proxy.journal.denied = "";
    settle([proxy], 600);
    expect(etcd.markOf(META)).toBeGreaterThan(0);
  });
});
