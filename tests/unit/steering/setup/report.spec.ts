import { faultText } from "../../../../assembly/steering/setup/faults";
import { SteeringMode } from "../../../../assembly/steering/setup/modes";
import { SteeringReport } from "../../../../assembly/steering/setup/report";
import { Effect, Fault, SteeringState } from "../../../../assembly/steering/setup/steering_state";
import { FakeStore } from "../../support/fake_store";

function stateOf(cluster: string, mode: SteeringMode, effect: Effect = Effect.Unknown): SteeringState {
  const state = new SteeringState(cluster);
  state.mode = mode;
  state.effect = effect;
  if (effect == Effect.No) state.fault = Fault.NoHash;
  return state;
}

/** What is said of a cluster; null where nothing is. */
function said(report: SteeringReport, cluster: string): SteeringState | null {
  const states = report.states();
  for (let i = 0; i < states.length; i++) {
    if (states[i].cluster == cluster) return states[i];
  }
  return null;
}

function effectOf(report: SteeringReport, cluster: string): Effect {
  const state = said(report, cluster);
  return state ? state.effect : <Effect>9;
}

/** A store on which another machine says something just before a write of this one. */
class RivalStore extends FakeStore {
  rival: SteeringReport | null = null;

  otherWriter(): void {
    const rival = this.rival;
    if (rival) rival.put("two", stateOf("b", SteeringMode.Exact, Effect.Yes), true);
  }
}

describe("a report of steering", () => {
  it("is empty, and nothing is written, where nobody steers", () => {
    const store = new FakeStore();
    const report = new SteeringReport("default", store);
    report.begin("one", stateOf("a", SteeringMode.Off));
    expect(report.states().length).toBe(0);
    expect(store.writes).toBe(0);
  });

  it("gives back what was said, whole", () => {
    const report = new SteeringReport("default", new FakeStore());
    report.begin("one", stateOf("a", SteeringMode.Hash));
    const state = stateOf("a", SteeringMode.Hash, Effect.No);
    state.fault = Fault.OtherCluster;
    state.argument = "x".repeat(128);
    expect(report.put("one", state, true)).toBe(true);
    const found = said(report, "a");
    if (!found) return expect(found).not.toBeNull();
    expect(found.mode).toBe(SteeringMode.Hash);
    expect(found.effect).toBe(Effect.No);
    expect(found.fault).toBe(Fault.OtherCluster);
    expect(found.argument).toBe("x".repeat(128));
  });

  it("is written only when it changes", () => {
    const store = new FakeStore();
    const report = new SteeringReport("default", store);
    const state = stateOf("a", SteeringMode.Hash, Effect.Yes);
    expect(report.put("one", state, true)).toBe(true);
    const writes = store.writes;
    expect(report.put("one", state, true)).toBe(false);
    expect(store.writes).toBe(writes);
  });

  it("keeps what another machine insists on, unless somebody insists on something else", () => {
    const report = new SteeringReport("default", new FakeStore());
    report.put("one", stateOf("a", SteeringMode.Hash, Effect.No), true);
    expect(report.put("one", stateOf("a", SteeringMode.Hash, Effect.Yes), false)).toBe(false);
    expect(effectOf(report, "a")).toBe(Effect.No);
    expect(report.put("one", stateOf("a", SteeringMode.Hash, Effect.Yes), true)).toBe(true);
    expect(effectOf(report, "a")).toBe(Effect.Yes);
  });

  it("begins anew with the filter's configuration, of another cluster and with steering off, too", () => {
    const report = new SteeringReport("default", new FakeStore());
    report.put("one", stateOf("a", SteeringMode.Hash, Effect.No), true);
    report.put("two", stateOf("a", SteeringMode.Hash, Effect.Yes), true);
    report.begin("one", stateOf("b", SteeringMode.Hash));
    expect(report.states().length).toBe(2);
    expect(effectOf(report, "b")).toBe(Effect.Unknown);
    expect(effectOf(report, "a")).toBe(Effect.Yes);
    report.begin("one", stateOf("b", SteeringMode.Off));
    expect(report.states().length).toBe(1);
  });

  it("holds eight entries at most; the one that was written first gives way", () => {
    const store = new FakeStore();
    const report = new SteeringReport("default", store);
    for (let i = 0; i < 20; i++) report.put("one", stateOf("c" + i.toString(), SteeringMode.Hash, Effect.Yes), true);
    expect(report.states().length).toBe(8);
    expect(said(report, "c11")).toBeNull();
    for (let i = 12; i < 20; i++) expect(effectOf(report, "c" + i.toString())).toBe(Effect.Yes);
    expect(store.size).toBe(1);
  });

  it("loses nothing when two write at once", () => {
    const store = new RivalStore();
    const report = new SteeringReport("default", store);
    report.begin("one", stateOf("a", SteeringMode.Hash));
    store.rival = new SteeringReport("default", store);
    store.conflictAt(0);
    report.put("one", stateOf("a", SteeringMode.Hash, Effect.Yes), true);
    expect(effectOf(report, "a")).toBe(Effect.Yes);
    expect(effectOf(report, "b")).toBe(Effect.Yes);
  });

  it("begins anew where the value is damaged, and gives up where the store does not answer", () => {
    const store = new FakeStore();
    const report = new SteeringReport("default", store);
    report.put("one", stateOf("a", SteeringMode.Hash, Effect.Yes), true);
    store.lengthen("steering/report");
    expect(report.states().length).toBe(0);
    report.put("one", stateOf("a", SteeringMode.Hash, Effect.No), true);
    expect(effectOf(report, "a")).toBe(Effect.No);
    store.broken = true;
    report.begin("one", stateOf("a", SteeringMode.Hash));
    report.put("one", stateOf("a", SteeringMode.Hash, Effect.Yes), true);
    report.noteClusterSeen("one", "a");
    expect(report.hasSeenCluster("one", "a")).toBe(false);
    store.broken = false;
    expect(effectOf(report, "a")).toBe(Effect.No);
  });

  it("remembers that the exact cluster was seen, until the filter is configured anew", () => {
    const report = new SteeringReport("default", new FakeStore());
    report.begin("one", stateOf("a", SteeringMode.Exact));
    expect(report.hasSeenCluster("one", "a")).toBe(false);
    report.noteClusterSeen("one", "a");
    report.put("one", stateOf("a", SteeringMode.Exact, Effect.Yes), true);
    expect(report.hasSeenCluster("one", "a")).toBe(true);
    expect(report.hasSeenCluster("two", "a")).toBe(false);
    report.noteClusterMissing("one", "a");
    expect(report.hasSeenCluster("one", "a")).toBe(false);
    report.noteClusterSeen("one", "a");
    report.begin("one", stateOf("a", SteeringMode.Exact));
    expect(report.hasSeenCluster("one", "a")).toBe(false);
  });
});

describe("what is said of a fault", () => {
  it("is one line that names the cluster, what is wrong and what would be right", () => {
    const right: string[] = ["max_early_data_bytes", '"off"', "observer's cluster", "hash_policy", "ORIGINAL_DST"];
    for (let fault = <i32>Fault.NoEarlyData; fault <= <i32>Fault.NoExactCluster; fault++) {
      const state = stateOf("edge", SteeringMode.Hash, Effect.No);
      state.fault = <Fault>fault;
      state.argument = "other";
      const text = faultText(state);
      expect(text.startsWith('cluster "edge": ')).toBe(true);
      expect(text.includes("\n")).toBe(false);
      expect(text.includes(right[fault - 1])).toBe(true);
    }
    expect(faultText(stateOf("edge", SteeringMode.Hash))).toBe("");
  });
});
