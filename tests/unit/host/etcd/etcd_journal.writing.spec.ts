import { GrpcStatus } from "../../../../assembly/host/grpc/grpc_calls";
import { JournalState, Outcome } from "../../../../assembly/ports/journal";
import { EtcdSession, KEY, PREFIX, PRESENCE, record, START_NANOSECONDS, VALUE } from "../../support/etcd_session";
import { FakeRecord } from "../../support/fake_grpc";

const NOW: u64 = START_NANOSECONDS / 1_000_000_000;
const WHOLE_KEY = PREFIX + "/d/me/17/a.1";

function put(session: EtcdSession, until: u64): bool {
  return session.journal.put(KEY.start, KEY.length, VALUE.start, VALUE.length, until);
}

describe("a journal on etcd writes", () => {
  it("a value that lasts, and reports its mark", () => {
    const session = new EtcdSession();
    session.follow();
    expect(session.journal.takeOutcome()).toBe(Outcome.None);
    expect(put(session, 0)).toBe(true);
    expect(session.last.method).toBe("KV.Put");
    expect(session.last.text([1])).toBe(WHOLE_KEY);
    expect(session.last.text([2])).toBe("some bytes");
    expect(session.last.number([3])).toBe(0, "no lease");
    expect(session.last.timeoutMilliseconds).toBe(2000);
    expect(session.journal.takeOutcome()).toBe(Outcome.UnderWay);
    expect(put(session, 0)).toBe(false, "one at a time");
    session.etcd.revision = 42;
    session.answer(session.etcd.put());
    expect(session.journal.gotMark).toBe(42);
    expect(session.journal.takeOutcome()).toBe(Outcome.Done);
    expect(session.journal.takeOutcome()).toBe(Outcome.None);
  });

  it("a value that the store may forget, under one lease for all that end together", () => {
    const session = new EtcdSession();
    session.follow();
    put(session, NOW + 7200);
    expect(session.last.method).toBe("Lease.LeaseGrant");
    expect(session.last.number([1])).toBe(7200 + 3600, "an hour to spare");
    expect(session.last.number([2])).toBe(0, "the store chooses its number");
    session.answer(session.etcd.lease(0x7fffffffffff0001));
    expect(session.last.method).toBe("KV.Put");
    expect(session.last.number([3])).toBe(0x7fffffffffff0001);
    session.answer(session.etcd.put());
    expect(session.journal.takeOutcome()).toBe(Outcome.Done);

    session.tick(1000);
    put(session, NOW + 7200);
    expect(session.last.method).toBe("KV.Put");
    expect(session.last.number([3])).toBe(0x7fffffffffff0001);
    session.answer(session.etcd.put());
    session.journal.takeOutcome();
    put(session, NOW + 14_400);
    expect(session.last.number([1])).toBe(14_400 + 3600 - 1);
  });

  it("a sign of life under a lease of its own, which ends in time", () => {
    const session = new EtcdSession();
    session.follow();
    for (let i = 0; i < 2; i++) {
      put(session, NOW + 30);
      expect(session.last.method).toBe("Lease.LeaseGrant");
      expect(session.last.number([1])).toBe(30);
      session.answer(session.etcd.lease(5));
      session.answer(session.etcd.put());
      session.journal.takeOutcome();
    }
    put(session, NOW - 100);
    expect(session.last.number([1])).toBe(1, "it is late already");
  });

  it("once more with a new lease if the store has forgotten the one that it granted", () => {
    const session = new EtcdSession();
    session.follow();
    put(session, NOW + 7200);
    session.answer(session.etcd.lease(5));
    session.answer(session.etcd.put());
    session.journal.takeOutcome();
    put(session, NOW + 7200);
    session.fail(GrpcStatus.NOT_FOUND, "etcdserver: requested lease not found");
    expect(session.journal.takeOutcome()).toBe(Outcome.UnderWay);
    expect(session.last.method).toBe("Lease.LeaseGrant");
    session.answer(session.etcd.lease(6));
    expect(session.last.number([3])).toBe(6);
    expect(session.last.text([1])).toBe(WHOLE_KEY);
    session.fail(GrpcStatus.NOT_FOUND, "etcdserver: requested lease not found");
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed, "but not for ever");
    expect(session.failures()).toBe("3:5");
  });

  it("with new leases when the store may have forgotten all of them", () => {
    const session = new EtcdSession();
    session.follow();
    put(session, NOW + 7200);
    session.answer(session.etcd.lease(5));
    session.etcd.revision = 3;
    session.answer(session.etcd.put());
    expect(session.journal.takeOutcome()).toBe(Outcome.Done);
    put(session, NOW + 7200);
    expect(session.last.method).toBe("Lease.LeaseGrant");
  });

  it("a value if its key has a mark, or is not there", () => {
    const session = new EtcdSession();
    session.follow();
    const journal = session.journal;
    expect(journal.swap(KEY.start, KEY.length, VALUE.start, VALUE.length, 7)).toBe(true);
    expect(session.last.method).toBe("KV.Txn");
    expect(session.last.number([1, 1])).toBe(0, "equal");
    expect(session.last.number([1, 2])).toBe(2, "the revision of the last change");
    expect(session.last.text([1, 3])).toBe(WHOLE_KEY);
    expect(session.last.number([1, 6])).toBe(7);
    expect(session.last.text([2, 2, 1])).toBe(WHOLE_KEY);
    expect(session.last.text([2, 2, 2])).toBe("some bytes");
    session.etcd.revision = 11;
    session.answer(session.etcd.transaction(true));
    expect(journal.gotMark).toBe(11);
    expect(journal.takeOutcome()).toBe(Outcome.Done);

    journal.swap(KEY.start, KEY.length, VALUE.start, VALUE.length, 0);
    expect(session.last.number([1, 2])).toBe(1, "the revision of its creation");
    expect(session.last.number([1, 5])).toBe(0);
    session.answer(session.etcd.transaction(false));
    expect(journal.takeOutcome()).toBe(Outcome.Conflict);
    expect(session.failures()).toBe("", "which is no failure");
    expect(put(session, 0)).toBe(true, "nor a reason to wait");
  });
});

describe("a journal on etcd", () => {
  it("reads a value with its mark", () => {
    const session = new EtcdSession();
    session.follow();
    const journal = session.journal;
    expect(journal.get(KEY.start, KEY.length)).toBe(true);
    expect(session.last.method).toBe("KV.Range");
    expect(session.last.text([1])).toBe(WHOLE_KEY);
    expect(session.last.text([2])).toBe("");
    session.answer(session.etcd.range([record("d/me/17/a.1", 8, 500)]));
    expect(journal.takeOutcome()).toBe(Outcome.Done);
    expect(journal.gotMark).toBe(8);
    expect(journal.gotLength).toBe(500);
    expect(load<u8>(journal.gotValue + 499)).toBe(0x76);
    journal.get(KEY.start, KEY.length);
    session.answer(session.etcd.range([]));
    expect(journal.takeOutcome()).toBe(Outcome.Done);
    expect(journal.gotMark).toBe(0, "no such key");
  });

  it("deletes a key if it has a mark", () => {
    const session = new EtcdSession();
    session.follow();
    session.journal.remove(KEY.start, KEY.length, 7);
    expect(session.last.number([1, 6])).toBe(7);
    expect(session.last.text([2, 3, 1])).toBe(WHOLE_KEY);
    expect(session.last.text([2, 3, 2])).toBe("", "one key");
    session.answer(session.etcd.transaction(false));
    expect(session.journal.takeOutcome()).toBe(Outcome.Conflict);
    session.journal.remove(KEY.start, KEY.length, 9);
    session.answer(session.etcd.transaction(true));
    expect(session.journal.takeOutcome()).toBe(Outcome.Done);
  });

  it("deletes keys that are old enough, a hundred at a time, until there are none", () => {
    const session = new EtcdSession();
    session.follow();
    const journal = session.journal;
    expect(journal.removeOlder(KEY.start, KEY.length, 300)).toBe(true);
    expect(session.last.text([1])).toBe(WHOLE_KEY);
    expect(session.last.text([2])).toBe(PREFIX + "/d/me/17/a.2");
    expect(session.last.number([3])).toBe(100);
    expect(session.last.number([8])).toBe(1, "keys only");
    expect(session.last.number([11])).toBe(300);
    const records: FakeRecord[] = [];
    for (let i = 0; i < 100; i++) records.push(record("d/me/17/a.1" + i.toString(), 200, 0));
    session.answer(session.etcd.range(records, true));
    expect(session.last.method).toBe("KV.Txn");
    expect(session.last.count(1)).toBe(0, "without a condition");
    expect(session.last.count(2)).toBe(100);
    expect(session.last.text([2, 3, 1])).toBe(PREFIX + "/d/me/17/a.10");
    expect(session.last.text([2, 3, 2])).toBe("", "one key each");
    session.answer(session.etcd.transaction(true));
    expect(session.last.method).toBe("KV.Range");
    session.answer(session.etcd.range([record("d/me/17/a.1x", 200, 0)]));
    expect(session.last.count(2)).toBe(1);
    session.answer(session.etcd.transaction(true));
    session.answer(session.etcd.range([]));
    expect(journal.takeOutcome()).toBe(Outcome.Done);
    expect(session.failures()).toBe("");
  });

  it("deletes no key of anybody else, whatever the store answers", () => {
    const session = new EtcdSession();
    session.follow();
    session.journal.removeOlder(KEY.start, KEY.length, 300);
    const count = session.grpc.calls.length;
    session.answer(session.etcd.range([new FakeRecord("/another/key", 3), record("s/another", 3)]));
    expect(session.grpc.calls.length).toBe(count);
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed);
  });

  it("does not go on deleting for ever", () => {
    const session = new EtcdSession();
    session.follow();
    session.journal.removeOlder(KEY.start, KEY.length, 300);
    const answer = session.etcd.range([record("d/me/17/a.1x", 200, 0)]);
    const done = session.etcd.transaction(true);
    let rounds = 0;
    for (; rounds < 5000 && session.journal.takeOutcome() == Outcome.UnderWay; rounds++) {
      session.answer(answer);
      session.answer(done);
    }
    expect(rounds).toBe(1000);
    expect(session.failures()).toBe("6:8");
  });

  it("begins nothing while the store is not reached", () => {
    const session = new EtcdSession();
    expect(put(session, 0)).toBe(false);
    session.tick();
    expect(put(session, 0)).toBe(false);
    session.answer(session.etcd.range([]));
    expect(session.journal.state).toBe(JournalState.Replaying);
    expect(put(session, 0)).toBe(true, "but while keys are read");
  });

  it("reports a failed write, and waits before the next one; reading goes on", () => {
    const session = new EtcdSession();
    session.follow();
    put(session, 0);
    session.fail(GrpcStatus.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded");
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed);
    expect(session.journal.failedText).toBe("etcdserver: mvcc: database space exceeded");
    expect(session.failures()).toBe("3:8");
    expect(session.journal.state).toBe(JournalState.Following);
    session.tick(200);
    expect(put(session, 0)).toBe(false);
    session.tick(100);
    expect(put(session, 0)).toBe(true);
    session.answer(session.etcd.put());
    expect(session.journal.takeOutcome()).toBe(Outcome.Done);
    expect(put(session, 0)).toBe(true);
  });

  it("names the call that failed", () => {
    const session = new EtcdSession();
    session.follow();
    put(session, NOW + 7200);
    session.fail(GrpcStatus.UNAVAILABLE);
    expect(session.failures()).toBe("5:14");
    session.tick(4000);
    session.journal.swap(KEY.start, KEY.length, VALUE.start, VALUE.length, 7);
    session.fail(GrpcStatus.UNAVAILABLE);
    expect(session.failures()).toBe("4:14");
    session.tick(4000);
    session.grpc.refuses = true;
    session.journal.get(KEY.start, KEY.length);
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed);
    expect(session.failures()).toBe("1:14");
  });

  it("gives up a write that the host never ends", () => {
    const session = new EtcdSession();
    session.follow();
    put(session, 0);
    session.tick(2400);
    expect(session.journal.takeOutcome()).toBe(Outcome.UnderWay);
    const call = session.last;
    session.tick(100);
    expect(call.isCancelled).toBe(true);
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed);
    expect(session.failures()).toBe("3:4");
  });

  it("refuses a value that is too long for a request, and sends nothing of it", () => {
    const session = new EtcdSession();
    session.follow();
    const count = session.grpc.calls.length;
    const value = heap.alloc(80_000);
    expect(session.journal.put(KEY.start, KEY.length, value, 80_000, 0)).toBe(true);
    expect(session.journal.takeOutcome()).toBe(Outcome.Failed);
    expect(session.failures()).toBe("3:3");
    session.tick(4000);
    expect(session.journal.put(KEY.start, KEY.length, value, 65_536, 0)).toBe(true);
    expect(session.journal.takeOutcome()).toBe(Outcome.UnderWay);
    expect(session.grpc.calls.length).toBe(count + 1);
    heap.free(value);
  });

  it("remembers the mark that its own key got, whichever way it was written last", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.journal.put(PRESENCE.start, PRESENCE.length, VALUE.start, VALUE.length, NOW + 30);
    session.answer(session.etcd.lease(3));
    session.etcd.revision = 11;
    session.answer(session.etcd.put());
    session.failTo(watch, GrpcStatus.UNAVAILABLE);
    session.comeBack(11);
    expect(session.last.isStream).toBe(true);
  });
});
