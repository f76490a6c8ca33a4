import { FleetOptions } from "../../../assembly/fleet/state/options";
import { StatusValue } from "../../../assembly/fleet/state/status";
import { Resync } from "../../../assembly/ports/journal";
import { Lookup } from "../../../assembly/session/cache";
import { Cause, Known, Origin, Session } from "../../../assembly/session/record/session";
import { KeyState } from "../../../assembly/session/revocation/key_state";
import { Unseen } from "../../../assembly/session/revocation/revocations";
import { Enforcement } from "../../../assembly/session/settings/enforcement";
import { TIMEOUT } from "../../../assembly/session/settings/given_settings";
import { Mode } from "../../../assembly/session/settings/mode";
import { FakeClock } from "../support/fake_clock";
import { FakeEtcd } from "../support/fake_journal";
import { Proxy, settle } from "../support/fleet";
import { flushOf } from "../support/jobs";
import { idOf, look, session, Text } from "../support/sessions";

const TIMEOUT_KEY: string = "n/s/1";
const LIFETIME: u32 = 3600;

function issue(proxy: Proxy, number: u32): void {
  const issued = session(number, 3600);
  const upstream = new Text("10.0.0.7:443");
  issued.upstream = upstream.start;
  issued.upstreamLength = upstream.length;
  issued.protocol = 0x0303;
  issued.cipher = 0xc02f;
  issued.known |= Known.UPSTREAM | Known.PROTOCOL | Known.CIPHER;
  proxy.cache.readSettings();
  proxy.cache.learn(issued);
}

function remove(proxy: Proxy, number: u32): void {
  proxy.cache.remove(idOf(number), 32, Cause.API);
}

/** As `PUT /v1/timeout` does. */
function putTimeout(proxy: Proxy, seconds: u32): void {
  expect(proxy.cache.settings.changeTimeout(seconds)).toBe(true);
  proxy.cache.settings.noteSet(TIMEOUT);
}

/** So many removals, each in a batch of its own, that a walk makes room. */
function removeOneByOne(proxy: Proxy): void {
  for (let number: u32 = 0; number < 520; number++) {
    remove(proxy, number);
    proxy.clock.advance(1);
    proxy.work();
  }
}

function cutOff(proxies: Proxy[], isOff: bool): void {
  for (let i = 0; i < proxies.length; i++) proxies[i].journal.isReachable = !isOff;
}

function pair(): Proxy[] {
  const etcd = new FakeEtcd();
  return [new Proxy(etcd, "one"), new Proxy(etcd, "two")];
}

describe("two proxies of a fleet", () => {
  it("both refuse a session that one of them removed", () => {
    const proxies = pair();
    settle(proxies);
    remove(proxies[0], 1);
    settle(proxies);
    expect(look(proxies[1].cache, 1)).toBe(Lookup.Removed);
    expect(look(proxies[1].cache, 2)).toBe(Lookup.Absent);
  });

  it("both lift a removal that one of them lifted", () => {
    const proxies = pair();
    remove(proxies[0], 1);
    settle(proxies);
    proxies[1].cache.put(session(1, 600));
    settle(proxies);
    expect(look(proxies[0].cache, 1)).toBe(Lookup.Found);
    expect(proxies[0].cache.found.origin).toBe(Origin.API);
  });

  it("both know a session that one of them has seen, with whatever it knows of it", () => {
    const proxies = pair();
    settle(proxies);
    issue(proxies[0], 3);
    settle(proxies);
    expect(look(proxies[1].cache, 3)).toBe(Lookup.Found);
    const found = proxies[1].cache.found;
    expect(found.isOfUpstream(new Text("10.0.0.7:443").start, 12)).toBe(true);
    expect(found.protocol).toBe(0x0303);
    expect(found.cipher).toBe(0xc02f);
    expect(found.origin).toBe(Origin.OBSERVED);
    expect(found.isOwn).toBe(false);
  });

  it("tell nothing of what the other one has told", () => {
    const proxies = pair();
    settle(proxies);
    remove(proxies[0], 1);
    issue(proxies[0], 2);
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    expect(etcd.beginningWith("d/one/").length).toBe(1);
    expect(etcd.beginningWith("s/one/").length).toBe(1);
    expect(etcd.beginningWith("d/two/").length).toBe(0);
    expect(etcd.beginningWith("s/two/").length).toBe(0);
  });

  it("share mode, timeout and enforcement that are set over HTTP", () => {
    const proxies = pair();
    settle(proxies);
    proxies[0].cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    settle(proxies);
    proxies[1].cache.settings.changeTimeout(77);
    proxies[1].cache.settings.changeEnforcement(Enforcement.STRICT);
    settle(proxies);
    for (let i = 0; i < 2; i++) {
      const settings = proxies[i].cache.settings;
      settings.load();
      expect(settings.mode).toBe(Mode.SERVER | Mode.NO_INTERNAL_STORE);
      expect(settings.timeoutSeconds).toBe(77);
      expect(settings.cacheEnforcement).toBe(Enforcement.STRICT);
    }
  });

  it("keep the value of a setting that was set again later than another proxy had changed it", () => {
    const proxies = pair();
    settle(proxies);
    putTimeout(proxies[0], 77);
    settle(proxies);
    cutOff(proxies, true);
    putTimeout(proxies[1], 88);
    settle(proxies, 2);
    // It has this value, as it has not heard of the other one.
    putTimeout(proxies[0], 77);
    settle(proxies, 2);
    cutOff(proxies, false);
    settle(proxies);
    for (let i = 0; i < 2; i++) {
      proxies[i].cache.settings.load();
      expect(proxies[i].cache.settings.timeoutSeconds).toBe(77);
    }
  });

  it("take the later change if the setting was set again before it", () => {
    const proxies = pair();
    settle(proxies);
    putTimeout(proxies[0], 77);
    settle(proxies);
    cutOff(proxies, true);
    putTimeout(proxies[0], 77);
    settle(proxies, 2);
    putTimeout(proxies[1], 88);
    settle(proxies, 2);
    cutOff(proxies, false);
    settle(proxies);
    for (let i = 0; i < 2; i++) {
      proxies[i].cache.settings.load();
      expect(proxies[i].cache.settings.timeoutSeconds).toBe(88);
    }
  });

  it("tell a setting that was set to its default, and tell it once", () => {
    const proxies = pair();
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    expect(etcd.beginningWith("n/s/").length).toBe(0);
    putTimeout(proxies[0], proxies[0].cache.settings.timeoutSeconds);
    settle(proxies);
    expect(etcd.beginningWith("n/s/").length).toBe(1);
    const mark = etcd.markOf(TIMEOUT_KEY);
    settle(proxies, 20);
    proxies[0].changeLeader();
    settle(proxies, 20);
    expect(etcd.markOf(TIMEOUT_KEY)).toBe(mark);
  });

  it("share a setting that goes back to its default", () => {
    const proxies = pair();
    settle(proxies, 1);
    proxies[0].cache.settings.changeMode(Mode.OFF);
    settle(proxies, 2);
    proxies[0].cache.settings.changeMode(Mode.SERVER);
    settle(proxies);
    proxies[1].cache.settings.load();
    expect(proxies[1].cache.settings.mode).toBe(Mode.SERVER);
  });

  it("flush what the other one flushes", () => {
    const proxies = pair();
    issue(proxies[0], 4);
    issue(proxies[1], 5);
    settle(proxies);
    flushOf(proxies[0].bench);
    settle(proxies, 2);
    for (let number: u32 = 4; number < 6; number++) {
      expect(look(proxies[0].cache, number)).toBe(Lookup.Removed);
      expect(look(proxies[1].cache, number)).toBe(Lookup.Removed);
    }
    const generation = proxies[1].cache.settings.generation;
    settle(proxies);
    expect(proxies[1].cache.settings.generation).toBe(generation, "it is flushed once");
    expect(proxies[0].cache.settings.generation).toBe(generation);
  });
});

describe("a proxy whose mode lets it learn nothing", () => {
  it("tells none of its learned sessions until the mode lets it learn again", () => {
    const etcd = new FakeEtcd();
    const proxy = new Proxy(etcd, "one");
    settle([proxy]);
    issue(proxy, 1);
    remove(proxy, 2);
    const settings = proxy.cache.settings;
    settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    settle([proxy]);
    expect(etcd.beginningWith("d/").length).toBe(1);
    expect(etcd.beginningWith("s/").length).toBe(0);
    settings.changeMode(Mode.SERVER);
    settle([proxy]);
    expect(etcd.beginningWith("s/").length).toBe(1);
  });
});

describe("a proxy that shares no settings", () => {
  it("says so in its state, tells none and takes none over", () => {
    const etcd = new FakeEtcd();
    const options = new FleetOptions();
    options.settings = false;
    const proxies = [new Proxy(etcd, "one", new FakeClock(), options), new Proxy(etcd, "two")];
    settle(proxies);
    for (let i = 0; i < 2; i++) {
      const value = new StatusValue("default", proxies[i].bench.store);
      expect(value.read()!.keepsSettings).toBe(i == 0);
      value.free();
    }
    putTimeout(proxies[0], 77);
    settle(proxies);
    expect(etcd.beginningWith("n/s/").length).toBe(0);
    putTimeout(proxies[1], 88);
    settle(proxies);
    proxies[0].cache.settings.load();
    expect(proxies[0].cache.settings.timeoutSeconds).toBe(77);
  });
});

describe("two decisions of one moment", () => {
  it("about a setting end in the greater value on both proxies, whichever was told first", () => {
    for (let first = 0; first < 2; first++) {
      const proxies = pair();
      settle(proxies);
      cutOff(proxies, true);
      const at = max(proxies[0].clock.nanoseconds, proxies[1].clock.nanoseconds);
      for (let i = 0; i < 2; i++) {
        proxies[i].clock.nanoseconds = at;
        // 256 is greater, bit by bit as well.
        putTimeout(proxies[i], i == 0 ? 77 : 256);
        proxies[i].work();
      }
      cutOff(proxies, false);
      settle([proxies[first]]);
      settle(proxies);
      for (let i = 0; i < 2; i++) {
        proxies[i].cache.settings.load();
        expect(proxies[i].cache.settings.timeoutSeconds).toBe(256);
      }
      const mark = proxies[0].journal.etcd.markOf(TIMEOUT_KEY);
      settle(proxies, 10);
      expect(proxies[0].journal.etcd.markOf(TIMEOUT_KEY)).toBe(mark, "it is told once");
    }
  });

  it("about a ticket key end in the same upstream on both proxies, whichever was told first", () => {
    for (let first = 0; first < 2; first++) {
      const proxies = pair();
      settle(proxies);
      cutOff(proxies, true);
      proxies[1].clock.nanoseconds = proxies[0].clock.nanoseconds;
      for (let i = 0; i < 2; i++) {
        const upstream = new Text(i == 0 ? "10.0.0.7:443" : "10.0.0.8:443");
        proxies[i].cache.ticketKeys.configure(idOf(1), upstream.start, upstream.length);
      }
      cutOff(proxies, false);
      settle([proxies[first]]);
      settle(proxies);
      for (let i = 0; i < 2; i++) {
        proxies[i].cache.readSettings();
        const row = proxies[i].cache.ticketKeys.look(idOf(1))!;
        expect(String.UTF8.decodeUnsafe(row.upstream, row.upstreamLength)).toBe("10.0.0.8:443");
      }
      const etcd = proxies[0].journal.etcd;
      const key = etcd.beginningWith("n/t/")[0];
      const mark = etcd.markOf(key);
      settle(proxies, 10);
      expect(etcd.markOf(key)).toBe(mark, "it is told once");
    }
  });

  it("about a server name end in the stricter one on both proxies, whichever was told first", () => {
    for (let first = 0; first < 2; first++) {
      const proxies = pair();
      settle(proxies);
      cutOff(proxies, true);
      proxies[1].clock.nanoseconds = proxies[0].clock.nanoseconds;
      const sni = new Text("shop.example");
      proxies[0].cache.revocations.revoke(sni.start, sni.length, LIFETIME, Unseen.BY_NAME);
      proxies[1].cache.revocations.revoke(sni.start, sni.length, LIFETIME, Unseen.REFUSE);
      cutOff(proxies, false);
      settle([proxies[first]]);
      settle(proxies);
      for (let i = 0; i < 2; i++) {
        proxies[i].cache.readSettings();
        expect(proxies[i].cache.revocations.refusesUnseen()).toBe(true);
      }
    }
  });
});

describe("a removed ticket key", () => {
  it("is one of its upstream on all proxies, also on one that takes over no sessions and has never seen it", () => {
    const proxies = pair();
    settle(proxies);
    const upstream = new Text("10.0.0.7:443");
    const keys = proxies[0].cache.ticketKeys;
    keys.configure(idOf(1), upstream.start, upstream.length);
    // Nobody else hears of it before it is removed.
    keys.remove(idOf(1));
    keys.remove(idOf(2));
    settle(proxies);
    proxies[1].cache.readSettings();
    const row = proxies[1].cache.ticketKeys.look(idOf(1))!;
    expect(row.state).toBe(KeyState.REMOVED);
    expect(String.UTF8.decodeUnsafe(row.upstream, row.upstreamLength)).toBe("10.0.0.7:443");
    const other = proxies[1].cache.ticketKeys.look(idOf(2))!;
    expect(other.state).toBe(KeyState.REMOVED);
    expect(other.upstreamLength).toBe(0);
  });
});

describe("a key of a named decision", () => {
  it("is written over if its value cannot be read", () => {
    const proxies = pair();
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    etcd.put(TIMEOUT_KEY, String.UTF8.encode("nothing that anybody has written"));
    settle(proxies, 1);
    proxies[0].cache.settings.changeTimeout(55);
    settle(proxies);
    proxies[1].cache.settings.load();
    expect(proxies[1].cache.settings.timeoutSeconds).toBe(55);
  });
});

describe("a proxy that starts", () => {
  it("takes over whatever the others have told", () => {
    const proxies = pair();
    for (let number: u32 = 0; number < 300; number++) issue(proxies[0], number);
    for (let number: u32 = 100; number < 200; number++) remove(proxies[1], number);
    settle(proxies);
    const late = new Proxy(proxies[0].journal.etcd, "three");
    late.clock.advance(12);
    settle([late]);
    for (let number: u32 = 0; number < 300; number++) {
      const expected = number >= 100 && number < 200 ? Lookup.Removed : Lookup.Found;
      expect(look(late.cache, number)).toBe(expected);
    }
  });

  it("keeps its own decisions over a restart, and tells them on", () => {
    const etcd = new FakeEtcd();
    const before = new Proxy(etcd, "one");
    for (let number: u32 = 0; number < 50; number++) remove(before, number);
    settle([before]);
    const after = new Proxy(etcd, "one");
    after.clock.advance(60);
    settle([after]);
    for (let number: u32 = 0; number < 50; number++) expect(look(after.cache, number)).toBe(Lookup.Removed);
  });

  it("tells what it holds already, as the fleet came later than the cache", () => {
    const etcd = new FakeEtcd();
    const one = new Proxy(etcd, "one");
    for (let number: u32 = 0; number < 40; number++) remove(one, number);
    // Nothing of its log was told.
    one.cache.events.log.load(one.clock.nanoseconds);
    const two = new Proxy(etcd, "two");
    settle([one, two]);
    for (let number: u32 = 0; number < 40; number++) expect(look(two.cache, number)).toBe(Lookup.Removed);
  });
});

describe("a fleet without its store", () => {
  it("loses no removal: it is told when the store comes back", () => {
    const proxies = pair();
    settle(proxies);
    proxies[0].journal.isReachable = false;
    proxies[1].journal.isReachable = false;
    for (let number: u32 = 0; number < 100; number++) remove(proxies[0], number);
    settle(proxies);
    expect(look(proxies[1].cache, 7)).toBe(Lookup.Absent);
    proxies[0].journal.isReachable = true;
    proxies[1].journal.isReachable = true;
    settle(proxies);
    for (let number: u32 = 0; number < 100; number++) expect(look(proxies[1].cache, number)).toBe(Lookup.Removed);
  });

  it("tries again under the same key if an answer was lost", () => {
    const proxies = pair();
    settle(proxies);
    proxies[0].journal.failures = 3;
    remove(proxies[0], 1);
    settle(proxies, 10);
    expect(look(proxies[1].cache, 1)).toBe(Lookup.Removed);
    expect(proxies[0].journal.etcd.beginningWith("d/one/").length).toBe(1);
  });

  it("tells everything again if the store has forgotten it, the records of others as well", () => {
    const proxies = pair();
    for (let number: u32 = 0; number < 20; number++) remove(proxies[number & 1], number);
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    const keys = etcd.beginningWith("");
    for (let i = 0; i < keys.length; i++) etcd.keys.delete(keys[i]);
    proxies[0].journal.begin(Resync.LOST);
    settle([proxies[0]]);
    const late = new Proxy(etcd, "three");
    settle([late]);
    for (let number: u32 = 0; number < 20; number++) expect(look(late.cache, number)).toBe(Lookup.Removed);
  });

  it("goes on where the last leader stopped", () => {
    const proxies = pair();
    settle(proxies);
    remove(proxies[0], 1);
    settle(proxies);
    const puts = proxies[0].journal.puts;
    remove(proxies[0], 2);
    proxies[0].changeLeader();
    settle(proxies);
    expect(look(proxies[1].cache, 2)).toBe(Lookup.Removed);
    expect(proxies[0].journal.etcd.beginningWith("d/one/").length).toBe(2);
    expect(proxies[0].journal.puts).toBeGreaterThan(puts);
  });
});

describe("the batches of a proxy", () => {
  it("keep removals of a proxy that is gone, which this one has told again after a loss", () => {
    const proxies = pair();
    for (let number: u32 = 1000; number < 1010; number++) remove(proxies[1], number);
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    const keys = etcd.beginningWith("");
    for (let i = 0; i < keys.length; i++) etcd.keys.delete(keys[i]);
    const one = proxies[0];
    one.journal.begin(Resync.LOST);
    settle([one]);
    const before = etcd.beginningWith("d/one/");
    removeOneByOne(one);
    settle([one], 80);
    const after = etcd.beginningWith("d/one/");
    for (let i = 0; i < before.length; i++) expect(after.includes(before[i])).toBe(false, "a walk has replaced it");
    const late = new Proxy(etcd, "three", new FakeClock(one.clock.nanoseconds));
    settle([late]);
    for (let number: u32 = 1000; number < 1010; number++) expect(look(late.cache, number)).toBe(Lookup.Removed);
  });

  it("become few again once there are many", () => {
    const proxies = pair();
    settle(proxies);
    const etcd = proxies[0].journal.etcd;
    removeOneByOne(proxies[0]);
    settle(proxies, 80);
    expect(etcd.beginningWith("d/one/").length).toBeLessThan(30);
    const late = new Proxy(etcd, "three", new FakeClock(proxies[0].clock.nanoseconds));
    settle([late]);
    for (let number: u32 = 0; number < 520; number++) expect(look(late.cache, number)).toBe(Lookup.Removed);
  });
});
