import { GrpcStatus } from "../../../../assembly/host/grpc/grpc_calls";
import { JournalState, Resync } from "../../../../assembly/ports/journal";
import { deleted, EtcdSession, KEY, PREFIX, PRESENCE, record, VALUE } from "../../support/etcd_session";
import { FakeCall, FakeRecord } from "../../support/fake_grpc";

describe("a journal on etcd that starts", () => {
  it("looks at its own key, reads all keys at one revision, and watches from the next one on", () => {
    const session = new EtcdSession();
    const journal = session.journal;
    expect(journal.state).toBe(JournalState.Connecting);
    session.tick();
    expect(session.last.method).toBe("KV.Range");
    expect(session.last.text([1])).toBe(PREFIX + "/p/me");
    expect(session.last.number([8])).toBe(1, "without its value");
    expect(session.last.timeoutMilliseconds).toBe(2000);
    session.answer(session.etcd.range([]));
    expect(journal.state).toBe(JournalState.Replaying);
    expect(journal.takeResync()).toBe(Resync.START);
    expect(journal.takeResync()).toBe(Resync.NONE);

    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.last.text([2])).toBe(PREFIX + "0");
    expect(session.last.number([4])).toBe(0, "at the present revision");
    session.answer(session.etcd.range([record("d/a", 3), record("d/b", 7)], true));
    expect(session.grpc.calls.length).toBe(2, "the domain has not read anything");

    session.etcd.revision = 12;
    expect(journal.next()).toBe(true);
    expect(session.grpc.calls.length).toBe(3, "the next ones come while these are read");
    expect(session.last.text([1])).toBe(PREFIX + "/d/b\0");
    expect(session.last.text([2])).toBe(PREFIX + "0");
    expect(session.last.number([4])).toBe(10, "at the revision of the first answer");
    expect(session.records()).toBe("~d/b@7");
    session.answer(session.etcd.range([record("s/x", 9)]));

    expect(session.last.method).toBe("Watch.Watch");
    expect(session.last.text([1, 1])).toBe(PREFIX + "/");
    expect(session.last.text([1, 2])).toBe(PREFIX + "0");
    expect(session.last.number([1, 3])).toBe(11);
    expect(session.last.number([1, 4])).toBe(1, "signs of life");
    expect(session.last.number([1, 8])).toBe(1, "large changes in pieces");
    session.answer(session.etcd.created());
    expect(journal.state).toBe(JournalState.Replaying, "not all keys are read");
    expect(session.records()).toBe("~s/x@9");
    expect(journal.state).toBe(JournalState.Following);
    expect(journal.clusterId).toBe(0xc0ffee);
    expect(journal.revision).toBe(10);
    expect(session.failures()).toBe("");
  });

  it("asks for about a mebibyte at once", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    const first = session.last.number([3]);
    expect(first).toBe(16);
    session.answer(session.etcd.range([record("d/a", 3, 100)], true));
    session.records();
    expect(session.last.number([3])).toBe(64, "more of small ones, but not many more at a time");
    session.answer(session.etcd.range([record("d/b", 3, 60_000)], true));
    session.records();
    expect(session.last.number([3])).toBe(17);
    session.answer(session.etcd.range([record("d/c", 3, 1_000_000)], true));
    session.records();
    expect(session.last.number([3])).toBe(1);
    for (let i = 0; i < 9; i++) {
      session.answer(session.etcd.range([record("d/d" + i.toString(), 3)], true));
      session.records();
    }
    expect(session.last.number([3])).toBe(4096);
  });

  it("hands over each record with its value, relative to the prefix, and passes over all other keys", () => {
    const session = new EtcdSession();
    const journal = session.journal;
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(
      session.etcd.range([
        new FakeRecord("/fleet/1/default2/d/x", 4),
        new FakeRecord(PREFIX + "/", 4),
        record("d/a", 5, 300),
        new FakeRecord("z", 6),
      ]),
    );
    expect(journal.next()).toBe(true);
    expect(String.UTF8.decodeUnsafe(journal.key, journal.keyLength)).toBe("d/a");
    expect(journal.valueLength).toBe(300);
    expect(load<u8>(journal.value + 299)).toBe(0x76);
    expect(journal.next()).toBe(false);
  });

  it("passes over all keys that begin like one that is too long", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("n/" + "x".repeat(5000), 3)], true));
    session.records();
    expect(session.last.text([1])).toBe(PREFIX + "/n/" + "x".repeat(1020) + "y");
    const all = String.fromCharCode(0xff);
    session.answer(session.etcd.range([record(all.repeat(1000), 3)], true));
    session.records();
    expect(session.last.method).toBe("KV.Range");
  });
});

describe("a journal on etcd that has read all decisions", () => {
  it("hands over changes while it still reads sessions", () => {
    const session = new EtcdSession();
    const journal = session.journal;
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("d/a", 3), record("p/me", 4)], true));
    expect(session.grpc.calls.length).toBe(2, "there may be more decisions and presences");
    session.records();
    session.etcd.revision = 12;
    session.answer(session.etcd.range([record("p/you", 5), record("s/a", 6)], true));
    const watch = session.last;
    expect(watch.method).toBe("Watch.Watch");
    expect(watch.number([1, 3])).toBe(11);
    session.answerTo(watch, session.etcd.created());
    session.answerTo(watch, session.etcd.changes([record("d/b", 12)]));
    expect(session.records()).toBe("~p/you@5 ~s/a@6 d/b@12");
    expect(journal.state).toBe(JournalState.Replaying);
    expect(journal.revision).toBe(12);
    const keys = session.last;
    expect(keys.text([1])).toBe(PREFIX + "/s/a\0");
    expect(keys.number([4])).toBe(10);
    session.answerTo(watch, session.etcd.changes([record("d/c", 13)]));
    expect(session.records()).toBe("d/c@13");
    session.answerTo(keys, session.etcd.range([record("s/b", 8)]));
    expect(journal.state).toBe(JournalState.Replaying, "not all keys are read");
    expect(session.records()).toBe("~s/b@8");
    expect(journal.state).toBe(JournalState.Following);
    expect(journal.revision).toBe(13);
    expect(session.last).toBe(keys, "there is one watch");
    expect(session.failures()).toBe("");
  });

  it("goes on with both after a failure of one of them, with the changes first read", () => {
    const session = new EtcdSession();
    const watch = beside(session);
    session.answerTo(watch, session.etcd.changes([record("d/b", 12)]));
    session.records();
    const keys = session.last;
    session.failTo(keys, GrpcStatus.UNAVAILABLE);
    expect(watch.isCancelled).toBe(true);
    session.comeBack();
    const again = session.last;
    expect(again.method).toBe("Watch.Watch");
    expect(again.number([1, 3])).toBe(13);
    const before = session.grpc.calls[session.grpc.calls.length - 2];
    expect(before.text([1])).toBe(PREFIX + "/s/a\0");
    expect(before.number([4])).toBe(10);
    session.failTo(again, GrpcStatus.UNAVAILABLE);
    expect(before.isCancelled).toBe(true);
    expect(session.failures()).toBe("1:14 2:14");
    session.comeBack();
    session.answer(session.etcd.created());
    session.answerTo(session.grpc.calls[session.grpc.calls.length - 2], session.etcd.range([record("s/b", 8)]));
    expect(session.records()).toBe("~s/b@8");
    expect(session.journal.state).toBe(JournalState.Following);
  });

  it("gives up a watch that is not created in time, and a call for keys that the host never ends", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("s/a", 6)], true));
    session.tick(2000);
    expect(session.failures()).toBe("2:4");
    session.comeBack();
    session.answer(session.etcd.created());
    session.tick(2500);
    expect(session.failures()).toBe("1:4");
    expect(session.last.isCancelled).toBe(true);
  });

  it("reads everything again when the revision of its replay is forgotten", () => {
    const session = new EtcdSession();
    const watch = beside(session);
    session.records();
    session.journal.takeResync();
    session.fail(GrpcStatus.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    expect(watch.isCancelled).toBe(true);
    expect(session.journal.takeResync()).toBe(Resync.COMPACTED);
    expect(session.journal.revision).toBe(0);
    session.comeBack();
    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.last.number([4])).toBe(0);
  });
});

/** Has the journal read all but sessions, and returns its watch. The last call is the one for the next sessions. */
function beside(session: EtcdSession): FakeCall {
  session.tick();
  session.answer(session.etcd.range([]));
  session.answer(session.etcd.range([record("d/a", 3), record("s/a", 6)], true));
  const watch = session.last;
  session.answerTo(watch, session.etcd.created());
  session.records();
  return watch;
}

describe("a journal on etcd that follows", () => {
  it("hands over changes and deletions as they come", () => {
    const session = new EtcdSession();
    session.follow();
    session.etcd.revision = 12;
    session.answer(session.etcd.changes([record("d/a", 11), deleted("d/b", 12)]));
    session.tick();
    session.etcd.revision = 13;
    session.answer(session.etcd.changes([record("d/c", 13)]));
    expect(session.records()).toBe("d/a@11 !d/b@12 d/c@13");
    expect(session.journal.revision).toBe(13);
    expect(session.journal.heardAt).toBe(session.now);
    expect(session.journal.state).toBe(JournalState.Following);
  });

  it("goes on behind the last change after the watch has broken, without a replay", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.etcd.revision = 12;
    session.answer(session.etcd.changes([record("d/a", 12)]));
    session.fail(GrpcStatus.UNAVAILABLE, "upstream connect error");
    expect(watch.isCancelled).toBe(true, "the host forgets the stream");
    expect(session.journal.state).toBe(JournalState.Connecting);
    expect(session.journal.failedText).toBe("upstream connect error");
    expect(session.failures()).toBe("2:14");
    expect(session.records()).toBe("d/a@12", "whatever has come is read");

    session.tick(100);
    expect(session.last).toBe(watch, "not at once");
    session.tick(200);
    expect(session.last.text([1])).toBe(PREFIX + "/p/me");
    session.answer(session.etcd.range([]));
    expect(session.last.method).toBe("Watch.Watch");
    expect(session.last.number([1, 3])).toBe(13);
    session.answer(session.etcd.created());
    expect(session.journal.state).toBe(JournalState.Following);
    expect(session.journal.takeResync()).toBe(Resync.NONE);
  });

  it("takes a change that came in part from the watch once more", () => {
    const session = new EtcdSession();
    session.follow();
    session.etcd.revision = 20;
    session.answer(session.etcd.changes([record("d/a", 20)], true));
    expect(session.journal.revision).toBe(19);
    session.fail(GrpcStatus.UNAVAILABLE);
    session.comeBack();
    expect(session.last.number([1, 3])).toBe(20);
  });

  it("does not believe that it has all changes up to the revision in the head of a message with changes", () => {
    const session = new EtcdSession();
    session.follow();
    session.etcd.revision = 50;
    session.answer(session.etcd.changes([record("d/a", 20)]));
    expect(session.journal.revision).toBe(20);
    session.answer(session.etcd.changes([]));
    expect(session.journal.revision).toBe(50, "as a sign of life has none");
  });

  it("tries again after 0.3 s, then later each time, at most after 4 s, and soon after a success", () => {
    const session = new EtcdSession();
    session.tick();
    const delays: i32[] = [];
    for (let round = 0; round < 7; round++) {
      const count = session.grpc.calls.length;
      session.fail(GrpcStatus.UNAVAILABLE);
      let milliseconds = 0;
      for (; session.grpc.calls.length == count && milliseconds < 10_000; milliseconds += 25) session.tick(25);
      delays.push(milliseconds);
    }
    const longest = [300, 600, 1200, 2400, 4000, 4000, 4000];
    for (let i = 0; i < delays.length; i++) {
      expect(delays[i]).toBeLessThanOrEqual(longest[i] + 25);
      expect(delays[i]).toBeGreaterThanOrEqual((longest[i] * 3) / 4);
    }
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([]));
    session.fail(GrpcStatus.UNAVAILABLE);
    session.tick(300);
    expect(session.last.method).toBe("KV.Range");
  });

  it("asks seldom while it is denied", () => {
    const session = new EtcdSession();
    session.tick();
    session.fail(GrpcStatus.PERMISSION_DENIED, "etcdserver: permission denied");
    expect(session.failures()).toBe("1:7");
    session.tick(2900);
    expect(session.grpc.calls.length).toBe(1);
    session.tick(1100);
    expect(session.grpc.calls.length).toBe(2);
    session.fail(GrpcStatus.UNAUTHENTICATED);
    session.tick(2900);
    expect(session.grpc.calls.length).toBe(2);
  });

  it("asks on when the clock is set back", () => {
    const session = new EtcdSession();
    session.tick();
    session.fail(GrpcStatus.UNAVAILABLE);
    session.now -= 3_600_000_000_000;
    session.tick();
    expect(session.grpc.calls.length).toBe(2);
  });

  it("gives up a watch that is not created in time, and a call that the host never ends", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([]));
    const watch = session.last;
    session.tick(1900);
    expect(watch.isCancelled).toBe(false);
    session.tick(100);
    expect(watch.isCancelled).toBe(true);
    expect(session.journal.failedText).toBe("the watch was not created in time");
    expect(session.failures()).toBe("2:4");

    session.tick(4000);
    const check = session.last;
    expect(check.isStream).toBe(false);
    session.tick(2400);
    expect(check.isCancelled).toBe(false);
    session.tick(100);
    expect(check.isCancelled).toBe(true);
    expect(session.failures()).toBe("1:4");
  });

  it("reads on where it was when a replay is interrupted", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("d/a", 3)], true));
    session.records();
    session.fail(GrpcStatus.DEADLINE_EXCEEDED);
    session.journal.takeResync();
    session.etcd.revision = 15;
    session.comeBack();
    expect(session.last.text([1])).toBe(PREFIX + "/d/a\0");
    expect(session.last.number([4])).toBe(10);
    expect(session.last.number([3])).toBe(16, "fewer than the 64 that took too long");
    expect(session.journal.takeResync()).toBe(Resync.NONE);
  });
});

describe("a journal on etcd reads all keys again", () => {
  it("when the store has forgotten the changes since the last one", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.answer(session.etcd.created());
    session.answer(session.etcd.cancelled(500, "etcdserver: mvcc: required revision has been compacted"));
    expect(watch.isCancelled).toBe(true);
    expect(session.journal.takeResync()).toBe(Resync.COMPACTED);
    session.tick();
    session.answer(session.etcd.range([]));
    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.last.number([4])).toBe(0);
    expect(session.journal.state).toBe(JournalState.Replaying);
    expect(session.failures()).toBe("");
  });

  it("when the revision of a replay is forgotten under way", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("d/a", 3)], true));
    session.journal.takeResync();
    session.records();
    session.fail(GrpcStatus.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    expect(session.journal.takeResync()).toBe(Resync.COMPACTED);
    session.comeBack();
    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.last.number([4])).toBe(0);
  });

  it("when the store has a revision below the last one", () => {
    const session = new EtcdSession();
    session.follow();
    session.fail(GrpcStatus.UNAVAILABLE);
    session.etcd.revision = 9;
    session.comeBack();
    expect(session.journal.takeResync()).toBe(Resync.LOST);
    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.journal.revision).toBe(0, "those of before mean nothing");
    session.answer(session.etcd.range([]));
    expect(session.journal.revision).toBe(9);
    expect(session.last.number([1, 3])).toBe(10, "the next revision of the store as it is now");
    session.answer(session.etcd.created());
    expect(session.journal.takeResync()).toBe(Resync.NONE, "once");
  });

  it("when it is another store", () => {
    const session = new EtcdSession();
    session.follow();
    session.fail(GrpcStatus.UNAVAILABLE);
    session.etcd.revision = 100;
    session.etcd.clusterId = 0xbeef;
    session.comeBack();
    expect(session.journal.takeResync()).toBe(Resync.LOST);
    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.journal.clusterId).toBe(0xbeef);
  });

  it("when a watch or a replay turns out to be another store's", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.etcd.clusterId = 0xbeef;
    session.answer(session.etcd.changes([record("d/a", 11)]));
    expect(watch.isCancelled).toBe(true);
    expect(session.journal.takeResync()).toBe(Resync.LOST);
    expect(session.records()).toBe("");
    session.comeBack();
    session.etcd.clusterId = 0xfeed;
    session.answer(session.etcd.range([record("d/a", 4)], true));
    expect(session.journal.takeResync()).toBe(Resync.LOST);
    expect(session.records()).toBe("");
    expect(session.last.text([1])).toBe(PREFIX + "/");
    expect(session.last.number([4])).toBe(0);
  });

  it("when its own key is not as it was left, though revisions have passed", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.etcd.revision = 11;
    session.journal.put(PRESENCE.start, PRESENCE.length, VALUE.start, VALUE.length, 0);
    session.answer(session.etcd.put());
    session.failTo(watch, GrpcStatus.UNAVAILABLE);
    session.etcd.revision = 100;
    session.comeBack(11);
    expect(session.journal.takeResync()).toBe(Resync.NONE, "it is");
    session.fail(GrpcStatus.UNAVAILABLE);
    session.comeBack(8);
    expect(session.journal.takeResync()).toBe(Resync.LOST, "another mark");
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.created());
    session.fail(GrpcStatus.UNAVAILABLE);
    session.comeBack(8);
    expect(session.journal.takeResync()).toBe(Resync.NONE, "once");
  });

  it("when its own key is gone, but not when its last write, which has no answer, was done", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.etcd.revision = 11;
    session.journal.put(PRESENCE.start, PRESENCE.length, VALUE.start, VALUE.length, 0);
    session.answer(session.etcd.put());
    session.journal.takeOutcome();
    session.journal.put(PRESENCE.start, PRESENCE.length, VALUE.start, VALUE.length, 0);
    session.fail(GrpcStatus.UNAVAILABLE);
    session.failTo(watch, GrpcStatus.UNAVAILABLE);
    session.etcd.revision = 12;
    session.comeBack(12);
    expect(session.journal.takeResync()).toBe(Resync.NONE);
    session.fail(GrpcStatus.UNAVAILABLE);
    session.comeBack(0);
    expect(session.journal.takeResync()).toBe(Resync.LOST);
  });

  it("when an answer to a write shows that the store went back", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.journal.put(KEY.start, KEY.length, VALUE.start, VALUE.length, 0);
    session.etcd.revision = 4;
    session.answer(session.etcd.put());
    session.tick();
    expect(watch.isCancelled).toBe(true);
    expect(session.journal.takeResync()).toBe(Resync.LOST);
    session.answer(session.etcd.range([]));
    expect(session.last.text([1])).toBe(PREFIX + "/");
  });

  it("but not when changes of others come before the answer to a write that was earlier", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.journal.put(KEY.start, KEY.length, VALUE.start, VALUE.length, 0);
    const put = session.last;
    session.etcd.revision = 12;
    session.answerTo(watch, session.etcd.changes([record("d/a", 11), record("d/b", 12)]));
    session.etcd.revision = 11;
    session.answerTo(put, session.etcd.put());
    session.tick();
    expect(session.journal.takeResync()).toBe(Resync.NONE);
    expect(session.journal.state).toBe(JournalState.Following);
  });

  it("but not when the member of the store that it watches is behind the others", () => {
    const session = new EtcdSession();
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([]));
    session.etcd.revision = 7;
    session.answer(session.etcd.created());
    session.tick();
    session.journal.takeResync();
    expect(session.journal.takeResync()).toBe(Resync.NONE);
    expect(session.journal.state).toBe(JournalState.Following);
  });

  it("when more comes than it keeps, and holds no more than that", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    const big = session.etcd.changes([record("d/a", 11, 3_000_000)]);
    session.answer(big);
    session.answer(big);
    expect(watch.isCancelled).toBe(false);
    session.answer(big);
    expect(watch.isCancelled).toBe(true);
    expect(session.journal.takeResync()).toBe(Resync.INBOX);
    expect(session.records()).toBe("", "they come again in the replay");
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("d/a", 11)]));
    session.answer(session.etcd.created());
    expect(session.records()).toBe("~d/a@11");
    expect(session.failures()).toBe("");
  });

  it("and says that something may be lost, whatever follows before that is taken", () => {
    const session = new EtcdSession();
    session.follow();
    session.fail(GrpcStatus.UNAVAILABLE);
    session.etcd.revision = 9;
    session.comeBack();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.cancelled(500, "compacted"));
    expect(session.journal.takeResync()).toBe(Resync.LOST);
  });

  it("while the record that is read stays where it is", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.answer(session.etcd.changes([record("d/a", 11, 100), record("d/b", 12)]));
    expect(session.journal.next()).toBe(true);
    session.answerTo(watch, session.etcd.cancelled(500, "compacted"));
    session.tick();
    session.answer(session.etcd.range([]));
    session.answer(session.etcd.range([record("d/c", 13)]));
    expect(String.UTF8.decodeUnsafe(session.journal.key, session.journal.keyLength)).toBe("d/a");
    expect(load<u8>(session.journal.value + 99)).toBe(0x76);
    expect(session.records()).toBe("~d/c@13");
  });
});

describe("a journal on etcd", () => {
  it("takes a watch that the store denies as a denied call", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.answer(
      session.etcd.cancelled(0, "rpc error: code = PermissionDenied desc = etcdserver: permission denied"),
    );
    expect(watch.isCancelled).toBe(true);
    expect(session.failures()).toBe("2:7");
    session.tick(2900);
    expect(session.last).toBe(watch);
    session.tick(1100);
    expect(session.last.method).toBe("KV.Range");
  });

  it("goes on when the host begins no call, and shows its reason, which comes behind", () => {
    const session = new EtcdSession();
    session.grpc.refuses = true;
    session.tick();
    expect(session.failures()).toBe("1:14");
    expect(session.journal.failedText).toBe("Envoy does not begin the call");
    session.grpc.words = "Cluster not available";
    session.journal.closed(4711, GrpcStatus.UNAVAILABLE);
    expect(session.journal.failedText).toBe("Cluster not available");
    session.tick(300);
    expect(session.failures()).toBe("1:14");
    session.grpc.refuses = false;
    session.tick(1000);
    session.answer(session.etcd.range([]));
    session.grpc.sendsNothing = true;
    session.answer(session.etcd.range([]));
    expect(session.failures()).toBe("2:14");
    expect(session.last.isCancelled).toBe(true);
    session.grpc.sendsNothing = false;
    session.comeBack();
    session.answer(session.etcd.created());
    expect(session.journal.state).toBe(JournalState.Following);
  });

  it("ignores tokens that it does not know", () => {
    const session = new EtcdSession();
    session.follow();
    session.grpc.message = session.etcd.changes([record("d/a", 11)]);
    session.journal.received(4711, session.grpc.message.length);
    session.journal.received(0, session.grpc.message.length);
    session.journal.closed(4711, GrpcStatus.UNAVAILABLE);
    session.journal.closed(0, GrpcStatus.UNAVAILABLE);
    expect(session.records()).toBe("");
    expect(session.journal.state).toBe(JournalState.Following);
    expect(session.failures()).toBe("");
  });

  it("keeps the words of the store short and printable", () => {
    const session = new EtcdSession();
    session.tick();
    session.fail(GrpcStatus.UNKNOWN, "a\nb\u00e9 " + "x".repeat(1000));
    expect(session.journal.failedText).toBe("a?b? " + "x".repeat(195));
    expect(session.journal.failedAt).toBe(session.now);
  });

  it("ends all calls when it is stopped, and starts again when it is called again", () => {
    const session = new EtcdSession();
    const watch = session.follow();
    session.answer(session.etcd.changes([record("d/a", 11)]));
    session.journal.put(KEY.start, KEY.length, VALUE.start, VALUE.length, 0);
    const put = session.last;
    session.journal.stop();
    expect(watch.isCancelled).toBe(true);
    expect(put.isCancelled).toBe(true);
    expect(session.records()).toBe("");
    expect(session.journal.state).toBe(JournalState.Connecting);
    session.tick();
    expect(session.last.text([1])).toBe(PREFIX + "/p/me");
  });
});
