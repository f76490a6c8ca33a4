import { Enforcement } from "../../../../assembly/session/settings/enforcement";
import { GivenSettings, Settings } from "../../../../assembly/session/settings/settings";
import { Role, State } from "../../../../assembly/session/settings/registration";
import { Entropy } from "../../../../assembly/ports/entropy";
import { FakeStore } from "../../support/fake_store";

/** Other numbers each time. */
class CountingEntropy extends Entropy {
  fill(start: usize, length: i32): bool {
    for (let i = 0; i < length; i++) store<u8>(start + i, <u8>(drawn >> (8 * (i & 3))));
    drawn += 2;
    return true;
  }
}

let drawn: u32 = 1;

/** One text of a filter on one worker, as Envoy keeps it while a listener uses it. */
class Plugin {
  readonly settings: Settings;

  constructor(
    store: FakeStore,
    readonly name: string,
    readonly given: GivenSettings,
    text: u64,
    now: u32,
    build: string = "",
  ) {
    this.settings = new Settings("edge", store, new CountingEntropy());
    this.refusal = this.settings.configure(name, given, text, now, now, "0.1.0", build);
  }

  refusal: string = "";

  tick(now: u32): void {
    this.settings.tick(true, now, now);
  }

  /** As the filter does with each new connection. */
  connect(now: u32): void {
    this.settings.load();
    if (!this.settings.registrations.inForce) this.settings.claim(now, now);
  }
}

function giving(timeout: i64, enforcement: i64 = -1): GivenSettings {
  const given = new GivenSettings();
  given.timeoutSeconds = timeout;
  given.enforcement = enforcement;
  return given;
}

describe("the filters of a cache", () => {
  it("give their settings while they are in force: a new text takes the place of the one before", () => {
    const store = new FakeStore();
    const before = new Plugin(store, "a/observer", giving(70), 1, 1);
    before.tick(1);
    const after = new Plugin(store, "a/observer", giving(80), 2, 20);
    after.settings.load();
    expect(after.settings.timeoutSeconds).toBe(70, "it may only be tried");
    after.tick(20);
    expect(after.settings.timeoutSeconds).toBe(80);
    before.tick(21);
    expect(before.settings.registrations.inForce).toBe(false);
    expect(before.settings.timeoutSeconds).toBe(80);
  });

  it("are in force again with a new connection, though nobody configures them again", () => {
    const store = new FakeStore();
    const before = new Plugin(store, "a/observer", giving(70), 1, 1);
    before.tick(1);
    const after = new Plugin(store, "a/observer", giving(80), 2, 20);
    after.tick(20);
    before.tick(21);
    before.connect(30);
    expect(before.settings.timeoutSeconds).toBe(70);
    after.tick(31);
    expect(after.settings.registrations.inForce).toBe(false);
    expect(after.settings.timeoutSeconds).toBe(70);
  });

  it("that were only tried give nothing, and are forgotten", () => {
    const store = new FakeStore();
    const stays = new Plugin(store, "a/observer", giving(70), 1, 1);
    stays.tick(1);
    new Plugin(store, "a/observer", giving(80), 2, 20);
    stays.tick(21);
    expect(stays.settings.timeoutSeconds).toBe(70);
    stays.tick(30);
    let registered = 0;
    const registrations = stays.settings.registrations;
    expect(registrations.read()).toBe(true);
    for (let place: u32 = 0; place < registrations.places; place++) {
      if (registrations.registered(place).identity != 0) registered++;
    }
    expect(registered).toBe(1);
  });

  it("that have gone give nothing, and contradict nobody", () => {
    const store = new FakeStore();
    const gone = new Plugin(store, "a/observer", giving(70), 1, 1);
    gone.tick(1);
    expect(new Plugin(store, "b/observer", giving(80), 2, 20).refusal.includes(": timeout is 80 here and 70")).toBe(
      true,
    );
    gone.settings.leave(30);
    const successor = new Plugin(store, "b/observer", giving(80), 2, 31);
    expect(successor.refusal).toBe("");
    expect(successor.settings.timeoutSeconds).toBe(80);
  });

  it("that ended without a word count until their leases have run out", () => {
    const store = new FakeStore();
    const ended = new Plugin(store, "a/observer", giving(70), 1, 1);
    ended.tick(1);
    const other = new Plugin(store, "b/guard", giving(-1), 2, 2);
    other.tick(10);
    expect(other.settings.timeoutSeconds).toBe(70);
    other.tick(40);
    expect(other.settings.timeoutSeconds).toBe(7200);
  });

  it("keep what another gives when one leaves it out", () => {
    const store = new FakeStore();
    const observer = new Plugin(store, "a/observer", giving(70, Enforcement.STRICT), 1, 1);
    const guard = new Plugin(store, "b/guard", giving(70, Enforcement.STRICT), 2, 1);
    observer.tick(1);
    guard.tick(1);
    const tidied = new Plugin(store, "b/guard", giving(-1), 3, 20);
    observer.tick(20);
    tidied.tick(20);
    expect(tidied.settings.timeoutSeconds).toBe(70);
    expect(tidied.settings.enforcement).toBe(Enforcement.STRICT);
  });

  it("have an enforcement of their own, which weakens nobody else's; one set over HTTP holds for all", () => {
    const store = new FakeStore();
    const observing = new Plugin(store, "a/observer", giving(-1, Enforcement.OBSERVE), 1, 1);
    const other = new Plugin(store, "a/observer", giving(-1), 2, 1);
    const admin = new Plugin(store, "c/admin", giving(-1), 3, 1);
    observing.tick(1);
    other.tick(1);
    expect(observing.settings.enforcement).toBe(Enforcement.OBSERVE);
    expect(other.settings.enforcement).toBe(Enforcement.REVOKED);
    expect(admin.settings.changeEnforcement(Enforcement.STRICT)).toBe(true);
    observing.settings.load();
    expect(observing.settings.enforcement).toBe(Enforcement.STRICT);
    const changed = new Plugin(store, "a/observer", giving(-1, Enforcement.REVOKED), 4, 20);
    changed.tick(20);
    expect(changed.settings.enforcement).toBe(Enforcement.REVOKED, "the configuration has changed it");
  });

  it("hold the stricter value where two in force contradict each other, and tell it once, with both names", () => {
    const store = new FakeStore();
    const observer = new Plugin(store, "a/observer", giving(70), 1, 1);
    const guard = new Plugin(store, "b/guard", giving(70), 2, 1);
    observer.tick(1);
    guard.tick(1);
    const updated = new Plugin(store, "b/guard", giving(71), 3, 20);
    observer.tick(20);
    expect(updated.refusal).toBe("");
    expect(updated.settings.tick(true, 20, 20)).toBe("", "an update of all takes a moment");
    expect(updated.settings.timeoutSeconds).toBe(70);
    const line = updated.settings.tick(true, 23, 23);
    expect(line.includes('timeout is 70 in observer "a" and 71 in guard "b": 70 holds')).toBe(true, line);
    expect(updated.settings.tick(true, 25, 25)).toBe("");
  });

  it("are others in another build of the module, though their texts are the same", () => {
    const store = new FakeStore();
    const old = new Plugin(store, "a/observer", giving(70), 1, 1, "0a".repeat(32));
    old.tick(1);
    const again = new Plugin(store, "a/observer", giving(70), 1, 2, "0a".repeat(32));
    again.tick(2);
    expect(buildsOf(old)).toBe("0a".repeat(32) + " in force");
    const upgraded = new Plugin(store, "a/observer", giving(70), 1, 3, "f1".repeat(32));
    upgraded.tick(3);
    expect(buildsOf(old)).toBe("0a".repeat(32) + " superseded, " + "f1".repeat(32) + " in force");
    expect(upgraded.settings.changeTimeout(75)).toBe(true);
    old.tick(4);
    old.connect(5);
    expect(buildsOf(old)).toBe("0a".repeat(32) + " in force, " + "f1".repeat(32) + " superseded", "it was rolled back");
    upgraded.settings.leave(6);
    expect(buildsOf(old)).toBe("0a".repeat(32) + " in force");
    expect(old.settings.timeoutSeconds).toBe(75, "no configuration has changed it");
  });

  it("are all in force while listeners go on using both modules, however seldom connections come", () => {
    const store = new FakeStore();
    const old = new Plugin(store, "a/observer", giving(70), 1, 1, "0a".repeat(32));
    old.tick(1);
    const upgraded = new Plugin(store, "a/observer", giving(70), 1, 3, "f1".repeat(32));
    upgraded.tick(3);
    let changes = 0;
    let before = buildsOf(old);
    for (let now: u32 = 5; now < 105; now += 5) {
      old.tick(now);
      old.connect(now);
      upgraded.tick(now + 2);
      upgraded.connect(now + 2);
      const after = buildsOf(old);
      if (after != before) changes++;
      before = after;
    }
    expect(before).toBe("0a".repeat(32) + " in force, " + "f1".repeat(32) + " in force");
    expect(changes <= 2).toBe(true, changes.toString());
  });

  it("have no build if their module has none", () => {
    const store = new FakeStore();
    const without = new Plugin(store, "a/observer", giving(70), 1, 1);
    without.tick(1);
    expect(buildsOf(without)).toBe(" in force");
    const odd = new Plugin(store, "b/guard", giving(70), 1, 1, "no digits");
    odd.tick(1);
    expect(buildsOf(odd)).toBe(" in force,  in force");
  });

  it("show a long version and a build side by side", () => {
    const settings = new Settings("edge", new FakeStore(), new CountingEntropy());
    const version = "1.2.3-" + "x".repeat(25);
    expect(settings.configure("a/observer", giving(70), 1, 1, 1, version, "0b".repeat(32))).toBe("");
    expect(settings.registrations.read()).toBe(true);
    const registered = settings.registrations.registered(0);
    expect(registered.version).toBe(version);
    expect(registered.build).toBe("0b".repeat(32));
  });

  it("may be so many as there are places; those that drain longest give theirs away", () => {
    const store = new FakeStore();
    let last: Plugin | null = null;
    for (let update: u32 = 0; update < 300; update++) {
      const plugin = new Plugin(store, "a/observer", giving(100 + update), update, 1);
      expect(plugin.refusal).toBe("");
      plugin.tick(1);
      last = plugin;
    }
    if (last) {
      expect(last.settings.timeoutSeconds).toBe(399);
      expect(last.settings.registrations.read()).toBe(true);
      expect(last.settings.registrations.places <= 128).toBe(true);
      expect(last.settings.registrations.serving(Role.OBSERVER)).toBe(1);
    }
  });

  it("are those of a model, over random updates, roll-backs and drains", () => {
    for (let seed: u32 = 1; seed <= 6; seed++) follow(seed);
  });
});

/** The build and the state of each registered filter of a cache. */
function buildsOf(plugin: Plugin): string {
  const registrations = plugin.settings.registrations;
  expect(registrations.read()).toBe(true);
  const rows: string[] = [];
  for (let place: u32 = 0; place < registrations.places; place++) {
    const filter = registrations.registered(place);
    if (filter.identity == 0) continue;
    rows.push(filter.build + (filter.state == State.IN_FORCE ? " in force" : " superseded"));
  }
  return rows.join(", ");
}

/** Two listeners with an observer each, whose texts change at random, and drain for 0 to 600 seconds. */
function follow(seed: u32): void {
  let state = seed * 2654435761;
  const store = new FakeStore();
  const texts: i64[] = [-1, 70, 80, 90];
  const names: string[] = ["a/observer", "b/observer"];
  const running: Plugin[] = [];
  /** Index of the text in force of each listener; -1 for none. */
  const inForce: i32[] = [-1, -1];
  const ends: u32[] = [];
  const indices: i32[] = [];
  const whose: i32[] = [];
  let now: u32 = 10;
  const base = new Plugin(store, "c/guard", new GivenSettings(), 99, now);
  base.tick(now);
  for (let step = 0; step < 24; step++) {
    state = state * 1664525 + 1013904223;
    const listener = <i32>((state >> 16) & 1);
    // Both listeners never give different values: that is refused or told, and another test's.
    const text = <i32>((state >> 20) % 2) == 0 ? 0 : 1 + <i32>(seed % 3);
    const drain = (state >> 8) % 601;
    if (inForce[listener] != text) {
      for (let i = 0; i < running.length; i++)
        if (whose[i] == listener && ends[i] == u32.MAX_VALUE) ends[i] = now + drain;
      let kept = -1;
      for (let i = 0; i < running.length; i++) if (whose[i] == listener && indices[i] == text) kept = i;
      if (kept >= 0) {
        ends[kept] = u32.MAX_VALUE;
        running[kept].connect(now);
      } else {
        const plugin = new Plugin(store, names[listener], giving(texts[text]), <u64>text, now);
        expect(plugin.refusal).toBe("");
        running.push(plugin);
        ends.push(u32.MAX_VALUE);
        indices.push(text);
        whose.push(listener);
      }
      inForce[listener] = text;
    }
    for (let turn = 0; turn < 8; turn++) {
      now += 4;
      for (let i = running.length - 1; i >= 0; i--) {
        if (ends[i] > now) {
          running[i].tick(now);
          continue;
        }
        running[i].settings.leave(now);
        running.splice(i, 1);
        ends.splice(i, 1);
        indices.splice(i, 1);
        whose.splice(i, 1);
      }
      base.tick(now);
    }
    const gives = inForce[0] > 0 || inForce[1] > 0;
    const expected: u32 = gives ? <u32>texts[1 + <i32>(seed % 3)] : 7200;
    base.settings.load();
    expect(base.settings.timeoutSeconds).toBe(expected, "seed " + seed.toString() + ", step " + step.toString());
  }
}
