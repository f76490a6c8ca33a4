import {
  Decision,
  keyOf,
  MAX_STAMP,
  precedence,
  stampAt,
  stampOn,
  STAMPS_PER_SECOND,
} from "../../../../assembly/session/record/stamp";

const NOW: u64 = 1_790_000_000 * STAMPS_PER_SECOND;
const MODELS: i32 = 3;
const MAX_RECORDS: i32 = 16;
const ROUNDS: i32 = 20_000;

/** A record of one ID: a removal or an addition with its stamp, and bytes of its own. */
class Told {
  bytes: u32 = 0;

  constructor(
    public decision: Decision = Decision.None,
    public stamp: u64 = 0,
  ) {}
}

/** One proxy: the record of the ID that it holds, and its own clock. */
class Model {
  held: Told = new Told();
  clock: u64 = NOW;

  decide(decision: Decision, bytes: u32): Told {
    const told = new Told(decision, stampOn(this.clock, decision, this.held.decision, this.held.stamp));
    told.bytes = bytes;
    this.held = told;
    return told;
  }

  hear(told: Told): void {
    if (this.held.decision == Decision.None || order(told, this.held) > 0) this.held = told;
  }
}

function order(a: Told, b: Told): i32 {
  return precedence(
    a.decision,
    a.stamp,
    changetype<usize>(a) + offsetof<Told>("bytes"),
    4,
    b.decision,
    b.stamp,
    changetype<usize>(b) + offsetof<Told>("bytes"),
    4,
  );
}

let seed: u64 = 88172645463325252;

function below(bound: u32): u32 {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return <u32>((seed >> 11) % <u64>bound);
}

describe("a stamp", () => {
  it("counts 8 ns since 1970", () => {
    expect(stampAt(1_790_000_000_000_000_007)).toBe(NOW);
    expect(stampAt(1_790_000_000_000_000_008)).toBe(NOW + 1);
  });

  it("is the time of the record, unless it is made on top of one that would hold against it", () => {
    expect(stampOn(NOW, Decision.Removal, Decision.None, 0)).toBe(NOW);
    expect(stampOn(NOW, Decision.Removal, Decision.Addition, NOW)).toBe(NOW);
    expect(stampOn(NOW, Decision.Addition, Decision.Addition, NOW)).toBe(NOW + 1);
    expect(stampOn(NOW, Decision.Removal, Decision.Removal, NOW)).toBe(NOW + 1);
    const lead = 5 * STAMPS_PER_SECOND;
    expect(stampOn(NOW, Decision.Addition, Decision.Removal, NOW)).toBe(NOW + lead + 1);
    expect(stampOn(NOW, Decision.Addition, Decision.Removal, NOW - lead - 1)).toBe(NOW);
    expect(stampOn(NOW, Decision.Removal, Decision.Addition, NOW + lead)).toBe(NOW + 1);
    expect(stampOn(0, Decision.Removal, Decision.Addition, 7)).toBe(0);
  });

  it("makes a record hold against that below it, whatever the clocks are", () => {
    let higher = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = round & 1 ? Decision.Removal : Decision.Addition;
      const decision = round & 2 ? Decision.Removal : Decision.Addition;
      const stampBefore = NOW + 3600 * STAMPS_PER_SECOND - <u64>below(<u32>STAMPS_PER_SECOND) * 7200;
      const stamp = stampOn(NOW, decision, before, stampBefore);
      if (keyOf(decision, stamp) > keyOf(before, stampBefore)) higher++;
    }
    expect(higher).toBe(ROUNDS);
  });

  it("is never beyond the bound, where a removal still holds over every addition", () => {
    const onAddition = stampOn(NOW, Decision.Removal, Decision.Addition, MAX_STAMP);
    expect(onAddition).toBeLessThanOrEqual(MAX_STAMP);
    expect(keyOf(Decision.Removal, onAddition)).toBeGreaterThan(keyOf(Decision.Addition, MAX_STAMP));
    expect(stampOn(NOW, Decision.Addition, Decision.Removal, MAX_STAMP)).toBe(MAX_STAMP);
    expect(stampOn(NOW, Decision.Removal, Decision.Removal, MAX_STAMP)).toBe(MAX_STAMP);
  });

  it("decides between a removal and an addition of one key for the removal, then by the bytes", () => {
    const lead = 5 * STAMPS_PER_SECOND;
    const removal = new Told(Decision.Removal, NOW);
    const addition = new Told(Decision.Addition, NOW + lead);
    expect(order(removal, addition) > 0).toBe(true);
    expect(order(addition, removal) < 0).toBe(true);
    const other = new Told(Decision.Removal, NOW);
    other.bytes = 1;
    expect(order(other, removal) > 0).toBe(true);
    expect(order(removal, other) < 0).toBe(true);
    expect(order(removal, removal)).toBe(0);
  });
});

describe("records of one ID on several proxies", () => {
  it("end in the same one, whatever the clocks, in any order and as often as they come", () => {
    let diverged = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const models = new StaticArray<Model>(MODELS);
      for (let i = 0; i < MODELS; i++) {
        models[i] = new Model();
        models[i].clock = NOW + <u64>below(7200) * STAMPS_PER_SECOND - 3600 * STAMPS_PER_SECOND;
      }
      const told: Told[] = [];
      const count = 1 + <i32>below(MAX_RECORDS);
      for (let i = 0; i < count; i++) {
        const model = models[below(MODELS)];
        told.push(model.decide(below(2) ? Decision.Removal : Decision.Addition, below(3)));
        model.clock += below(1 << 30);
        while (below(2)) models[below(MODELS)].hear(told[below(told.length)]);
      }
      for (let i = 0; i < MODELS; i++) hearAll(models[i], told);
      for (let i = 1; i < MODELS; i++) if (order(models[i].held, models[0].held) != 0) diverged++;
    }
    expect(diverged).toBe(0);
  });

  it("never lose a removal that came later than an addition which had not seen it, while clocks agree", () => {
    let unseen = 0;
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const models = new StaticArray<Model>(MODELS);
      for (let i = 0; i < MODELS; i++) models[i] = new Model();
      const told: Told[] = [];
      let clock = NOW;
      let last: Told | null = null;
      const count = 1 + <i32>below(MAX_RECORDS);
      for (let i = 0; i < count; i++) {
        clock += 1 + below(1 << 29);
        const model = models[below(MODELS)];
        model.clock = clock;
        const record = model.decide(below(2) ? Decision.Removal : Decision.Addition, below(3));
        last = record;
        told.push(record);
        while (below(2)) {
          const hearing = models[below(MODELS)];
          const heard = told[below(told.length)];
          hearing.hear(heard);
        }
      }
      if (!last || last.decision != Decision.Removal) continue;
      unseen++;
      for (let i = 0; i < MODELS; i++) {
        hearAll(models[i], told);
        if (models[i].held.decision != Decision.Removal) lost++;
      }
    }
    expect(lost).toBe(0);
    expect(unseen > ROUNDS / 4).toBe(true);
  });
});

/** Hears all records in an order of its own, some of them twice. */
function hearAll(model: Model, told: Told[]): void {
  const order = told.slice();
  for (let left = order.length; left > 0; left--) {
    const chosen = below(left);
    model.hear(order[chosen]);
    order[chosen] = order[left - 1];
  }
  for (let i = 0; i < told.length; i++) model.hear(told[below(told.length)]);
}
