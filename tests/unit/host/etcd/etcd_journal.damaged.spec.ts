import { Chance } from "../../../../assembly/bytes/chance";
import { JournalState, Outcome } from "../../../../assembly/ports/journal";
import { deleted, EtcdSession, KEY, record, VALUE } from "../../support/etcd_session";

/** The places at which a message comes. */
const enum Place {
  Check = 0,
  Keys = 1,
  Created = 2,
  Changes = 3,
  Put = 4,
  Lease = 5,
  Get = 6,
  Swap = 7,
  Older = 8,
  Remove = 9,
}
const PLACES: i32 = 10;

/** Leads a new journal to the place, and hands it a message there. Returns whether it comes to follow the store after all. */
function survives(place: Place, message: Uint8Array): bool {
  const session = new EtcdSession();
  const journal = session.journal;
  if (place == Place.Check) {
    session.tick();
  } else if (place == Place.Keys || place == Place.Created) {
    session.tick();
    session.answer(session.etcd.range([]));
    if (place == Place.Created) session.answer(session.etcd.range([]));
  } else {
    session.follow();
  }
  if (place == Place.Put) journal.put(KEY.start, KEY.length, VALUE.start, VALUE.length, 0);
  else if (place == Place.Lease) journal.put(KEY.start, KEY.length, VALUE.start, VALUE.length, session.now);
  else if (place == Place.Get) journal.get(KEY.start, KEY.length);
  else if (place == Place.Swap) journal.swap(KEY.start, KEY.length, VALUE.start, VALUE.length, 3);
  else if (place == Place.Older) journal.removeOlder(KEY.start, KEY.length, 3);
  else if (place == Place.Remove) {
    journal.removeOlder(KEY.start, KEY.length, 3);
    session.answer(session.etcd.range([record("d/me/17/a.1x", 2)]));
  }
  session.answer(message);
  session.records();
  // Whatever has become of it, it comes back: each call that is open gets a good answer.
  session.etcd.revision = 1000;
  for (let turn = 0; turn < 12; turn++) {
    session.tick(4000);
    for (let i = 0; i < session.grpc.calls.length; i++) {
      const call = session.grpc.calls[i];
      if (call.isOver || call.isCancelled) continue;
      if (call.isStream) {
        if (turn < 10) session.answerTo(call, session.etcd.created());
      } else if (call.method == "KV.Range") session.answerTo(call, session.etcd.range([]));
      else if (call.method == "KV.Txn") session.answerTo(call, session.etcd.transaction(true));
      else if (call.method == "KV.Put") session.answerTo(call, session.etcd.put());
      else session.answerTo(call, session.etcd.lease(3));
    }
    session.records();
  }
  const outcome = journal.takeOutcome();
  const isFollowing = journal.state == JournalState.Following && outcome != Outcome.UnderWay;
  journal.free();
  return isFollowing;
}

function goodMessage(session: EtcdSession, place: Place): Uint8Array {
  const etcd = session.etcd;
  switch (place) {
    case Place.Keys:
    case Place.Get:
    case Place.Older:
      return etcd.range([record("d/me/17/a.1", 3, 40), record("d/b", 4)], place == Place.Keys);
    case Place.Check:
      return etcd.range([record("p/me", 3)]);
    case Place.Created:
      return etcd.created();
    case Place.Changes:
      return etcd.changes([record("d/a", 11, 20), deleted("d/b", 12)], true);
    case Place.Lease:
      return etcd.lease(0x7000000000000001);
    case Place.Swap:
    case Place.Remove:
      return etcd.transaction(true);
    default:
      return etcd.put();
  }
}

describe("a journal on etcd comes back", () => {
  it("from each message cut at any byte", () => {
    const session = new EtcdSession();
    let lost = 0;
    let cuts = 0;
    for (let place = 0; place < PLACES; place++) {
      const whole = goodMessage(session, place);
      for (let length = 0; length <= whole.length; length++, cuts++) {
        if (!survives(place, whole.slice(0, length))) lost++;
      }
    }
    expect(lost).toBe(0);
    expect(cuts).toBeGreaterThan(300);
  });

  it("from each message with any bytes changed", () => {
    const session = new EtcdSession();
    const chance = new Chance(5);
    let lost = 0;
    for (let round = 0; round < 2_000; round++) {
      const place = chance.below(PLACES);
      const message = goodMessage(session, place);
      for (let i = 1 + chance.below(3); i > 0; i--) message[chance.below(message.length)] = <u8>chance.next();
      if (!survives(place, message)) lost++;
    }
    expect(lost).toBe(0);
  });

  it("from random bytes, and keeps no memory of them", () => {
    const chance = new Chance(9);
    let lost = 0;
    let pages = 0;
    for (let round = 0; round < 2_000; round++) {
      const message = new Uint8Array(chance.below(200));
      for (let i = 0; i < message.length; i++) message[i] = <u8>chance.next();
      if (!survives(chance.below(PLACES), message)) lost++;
      if (round == 1_000) pages = memory.size();
    }
    expect(lost).toBe(0);
    expect(memory.size() - pages).toBeLessThan(200, "as before, but for whatever waits to be collected");
  });

  it("from messages that are too long to keep", () => {
    const session = new EtcdSession();
    session.tick();
    const call = session.last;
    session.journal.received(call.token, i32.MAX_VALUE);
    expect(session.failures()).toBe("1:8");
    session.tick(1000);
    session.answer(session.etcd.range([]));
    const limit = session.last.number([3]);
    session.journal.received(session.last.token, 9 << 20);
    expect(session.failures()).toBe("1:8");
    session.comeBack();
    expect(session.last.number([3])).toBe(limit >> 2, "with fewer keys");
    session.journal.received(session.last.token, -1);
    session.comeBack();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.created());
    session.failures();
    session.journal.get(KEY.start, KEY.length);
    session.journal.received(session.last.token, 3 << 20);
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed);
    expect(session.failures()).toBe("1:8");
    expect(session.journal.state).toBe(JournalState.Following);
  });
});
