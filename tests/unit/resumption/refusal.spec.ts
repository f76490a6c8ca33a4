import { Enforcement } from "../../../assembly/session/settings/enforcement";
import { EventCause } from "../../../assembly/session/record/event_cause";
import { Flush } from "../../../assembly/session/jobs/flush";
import { Deadline } from "../../../assembly/work/job";
import { causeOf, Refusals, Verdict } from "../../../assembly/resumption/refusal";
import { Cause, Kind, Known, Session } from "../../../assembly/session/record/session";
import { Unseen } from "../../../assembly/session/revocation/revocations";
import { Bench, idOf, session, Text } from "../support/sessions";
import { keyName } from "../support/table_names";

const ENFORCED: u32[] = [Enforcement.REVOKED, Enforcement.STRICT];

/** A cache and what it says about sessions that an upstream has accepted. */
class Judge {
  private readonly refusals: Refusals;

  constructor(
    enforcement: u32 = Enforcement.REVOKED,
    readonly bench: Bench = new Bench(),
  ) {
    const cache = bench.cache;
    this.refusals = new Refusals(cache);
    cache.settings.changeEnforcement(enforcement);
  }

  judge(accepted: Session): Verdict {
    this.bench.cache.readSettings();
    return this.refusals.judge(accepted);
  }

  /** As the guard does it, which has looked already. */
  judgeFound(accepted: Session): Verdict {
    const lookup = this.bench.cache.peek(accepted.id, accepted.idLength);
    return this.refusals.judgeFound(accepted, lookup);
  }

  judgeUnseen(sni: string): Verdict {
    this.bench.cache.readSettings();
    return this.refusals.judgeUnseen(ofKind(Kind.PSK, 1, sni));
  }

  judgeUnfollowed(): Verdict {
    this.bench.cache.readSettings();
    return this.refusals.judgeUnfollowed();
  }

  later(seconds: i64): void {
    this.bench.clock.advance(seconds);
  }

  revoke(sni: string): void {
    const text = new Text(sni);
    this.bench.cache.revocations.revoke(text.start, text.length);
  }

  revokeUnseen(sni: string): void {
    const text = new Text(sni);
    this.bench.cache.revocations.revoke(text.start, text.length, 0, Unseen.REFUSE);
  }

  lift(sni: string): void {
    const text = new Text(sni);
    this.bench.cache.revocations.lift(text.start, text.length);
  }

  /** Stored by hand. */
  put(added: Session): void {
    this.bench.cache.put(added);
  }

  /** Stored because an upstream was seen to issue it. */
  learn(issued: Session): void {
    this.bench.cache.readSettings();
    this.bench.cache.learn(issued);
  }

  /** Stored because an upstream was seen to accept it. */
  resume(accepted: Session): void {
    this.bench.cache.readSettings();
    this.bench.cache.resume(accepted);
  }
}

function ofKind(kind: u8, number: u32 = 1, sni: string = "", timeoutSeconds: u32 = 0): Session {
  const made = session(number, timeoutSeconds);
  made.kind = kind;
  made.known |= Known.KIND;
  if (sni.length > 0) {
    const text = new Text(sni);
    made.sni = text.start;
    made.sniLength = text.length;
    made.known |= Known.SNI;
  }
  return made;
}

function underKey(accepted: Session, name: usize): Session {
  accepted.ticketKey = name;
  accepted.known |= Known.TICKET_KEY;
  return accepted;
}

describe("a session that nobody removed or revoked", () => {
  it("resumes, held or not", () => {
    const judge = new Judge();
    judge.put(ofKind(Kind.ID, 1, "shop.example"));
    judge.learn(ofKind(Kind.TICKET, 2));
    for (let number: u32 = 1; number < 4; number++) {
      expect(judge.judge(ofKind(Kind.TICKET, number, "shop.example"))).toBe(Verdict.Resume, number.toString());
    }
    expect(judge.judge(ofKind(Kind.PSK, 4))).toBe(Verdict.Resume);
  });

  it("resumes where it has expired here: the upstream decides", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.ID, 1, "", 10));
    judge.later(11);
    expect(judge.judge(ofKind(Kind.ID))).toBe(Verdict.Resume);
  });
});

describe("a PSK that nobody can see, in an encrypted hello", () => {
  it("resumes, unless its server name is revoked or the cache must hold it", () => {
    const judge = new Judge();
    expect(judge.judgeUnseen("public.example")).toBe(Verdict.Resume);
    expect(judge.judgeUnseen("")).toBe(Verdict.Resume);
    judge.revoke("public.example");
    expect(judge.judgeUnseen("public.example")).toBe(Verdict.RevokedServerName);
    expect(judge.judgeUnseen("other.example")).toBe(Verdict.Resume);
    expect(new Judge(Enforcement.STRICT).judgeUnseen("public.example")).toBe(Verdict.NotHeld);
    expect(new Judge(Enforcement.OBSERVE).judgeUnseen("public.example")).toBe(Verdict.Resume);
  });
});

describe("a removed session", () => {
  it("does not resume, whatever it is and whether it was held", () => {
    for (let i = 0; i < ENFORCED.length; i++) {
      const judge = new Judge(ENFORCED[i]);
      judge.put(ofKind(Kind.TICKET, 1));
      judge.bench.cache.remove(idOf(1), 32, Cause.API);
      judge.bench.cache.remove(idOf(2), 32, Cause.API);
      expect(judge.judge(ofKind(Kind.TICKET, 1))).toBe(Verdict.RemovedSession);
      expect(judge.judge(ofKind(Kind.PSK, 2))).toBe(Verdict.RemovedSession);
    }
  });

  it("resumes again once it is added by hand", () => {
    const judge = new Judge();
    judge.bench.cache.remove(idOf(1), 32, Cause.API);
    judge.put(ofKind(Kind.ID));
    expect(judge.judge(ofKind(Kind.ID))).toBe(Verdict.Resume);
  });

  it("does not resume where it was flushed", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.ID));
    const flush = new Flush(judge.bench.cache, 0);
    expect(flush.begin()).toBe(true);
    const deadline = new Deadline(judge.bench.clock);
    deadline.start(1_000_000);
    while (!flush.step(deadline));
    expect(judge.judge(ofKind(Kind.ID))).toBe(Verdict.RemovedSession);
  });
});

describe("a ticket under a removed key", () => {
  it("does not resume, held or not, TLS 1.2 or 1.3", () => {
    const judge = new Judge();
    const name = keyName(1);
    judge.learn(underKey(ofKind(Kind.TICKET, 1), name));
    judge.bench.cache.ticketKeys.remove(name);
    expect(judge.judge(underKey(ofKind(Kind.TICKET, 1), name))).toBe(Verdict.RemovedTicketKey);
    expect(judge.judge(underKey(ofKind(Kind.TICKET, 2), name))).toBe(Verdict.RemovedTicketKey);
    expect(judge.judge(underKey(ofKind(Kind.PSK, 3), name))).toBe(Verdict.RemovedTicketKey);
    expect(judge.judge(underKey(ofKind(Kind.TICKET, 2), keyName(2)))).toBe(Verdict.Resume);
    expect(judge.judge(ofKind(Kind.ID, 4))).toBe(Verdict.Resume);
  });

  it("does not resume where it was added by hand: its key is removed", () => {
    for (let i = 0; i < ENFORCED.length; i++) {
      const judge = new Judge(ENFORCED[i]);
      const name = keyName(1);
      judge.bench.cache.ticketKeys.remove(name);
      judge.put(ofKind(Kind.PSK, 1));
      expect(judge.judge(underKey(ofKind(Kind.PSK, 1), name))).toBe(Verdict.RemovedTicketKey);
    }
  });

  it("resumes once the key is told", () => {
    const judge = new Judge();
    const name = keyName(1);
    const upstream = new Text("10.0.0.7:443");
    judge.bench.cache.ticketKeys.remove(name);
    judge.bench.cache.ticketKeys.configure(name, upstream.start, upstream.length);
    expect(judge.judge(underKey(ofKind(Kind.TICKET), name))).toBe(Verdict.Resume);
  });
});

describe("a session for a revoked server name", () => {
  it("does not resume where it is not held", () => {
    const judge = new Judge();
    judge.revoke("shop.example");
    judge.later(1000);
    expect(judge.judge(ofKind(Kind.ID, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.TICKET, 2, "SHOP.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.TICKET, 2, "other.example"))).toBe(
      Verdict.RevokedServerName,
      "it may be of the name",
    );
    expect(judge.judge(ofKind(Kind.TICKET, 2))).toBe(Verdict.RevokedServerName, "no name, nothing known");
  });

  it("does not resume where it was stored before or in the second of the revocation, and resumes where later", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.ID, 1, "shop.example"));
    judge.later(10);
    judge.learn(ofKind(Kind.ID, 2, "shop.example"));
    judge.revoke("shop.example");
    judge.learn(ofKind(Kind.ID, 3, "shop.example"));
    judge.later(1);
    judge.learn(ofKind(Kind.ID, 4, "shop.example"));
    expect(judge.judge(ofKind(Kind.ID, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.ID, 2, "shop.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.ID, 3, "shop.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.ID, 4, "shop.example"))).toBe(Verdict.Resume);
  });

  it("does not become younger by being used", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.ID, 1, "shop.example"));
    judge.revoke("shop.example");
    judge.later(5);
    judge.resume(ofKind(Kind.ID, 1, "shop.example"));
    expect(judge.judge(ofKind(Kind.ID, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
  });

  it("does not resume under another name than that for which it was issued, or without one", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.TICKET, 1, "Shop.example"));
    judge.revoke("shop.example");
    judge.later(1);
    expect(judge.judge(ofKind(Kind.TICKET, 1, "other.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.TICKET, 1))).toBe(Verdict.RevokedServerName);
  });

  it("counts by the time of its issue where it has expired here", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.ID, 1, "shop.example", 10));
    judge.revoke("shop.example");
    judge.later(1);
    judge.learn(ofKind(Kind.ID, 2, "shop.example", 10));
    judge.later(11);
    expect(judge.judge(ofKind(Kind.ID, 1, "other.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.ID, 2, "shop.example"))).toBe(Verdict.Resume);
  });

  it("resumes once the revocation is lifted", () => {
    const judge = new Judge();
    judge.learn(ofKind(Kind.ID, 1, "shop.example"));
    judge.revoke("shop.example");
    judge.lift("SHOP.EXAMPLE");
    expect(judge.judge(ofKind(Kind.ID, 1, "shop.example"))).toBe(Verdict.Resume);
  });

  it("stays refused where the clock steps backwards", () => {
    const judge = new Judge();
    judge.later(100);
    judge.revoke("shop.example");
    judge.later(-50);
    judge.learn(ofKind(Kind.ID, 1, "shop.example"));
    expect(judge.judge(ofKind(Kind.ID, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
  });
});

describe("a TLS 1.3 PSK for a revoked server name", () => {
  it("does not resume where only its use was seen, even after the revocation", () => {
    const judge = new Judge();
    judge.revoke("shop.example");
    judge.later(10);
    judge.resume(ofKind(Kind.PSK, 1, "shop.example"));
    expect(judge.judge(ofKind(Kind.PSK, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
  });

  it("resumes only where it was added by hand afterwards", () => {
    const judge = new Judge();
    judge.put(ofKind(Kind.PSK, 1, "shop.example"));
    judge.revoke("shop.example");
    judge.later(1);
    judge.put(ofKind(Kind.PSK, 2, "shop.example"));
    expect(judge.judge(ofKind(Kind.PSK, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.PSK, 2, "shop.example"))).toBe(Verdict.Resume);
  });
});

describe("what the cache does not hold, under strict,", () => {
  it("does not resume", () => {
    const judge = new Judge(Enforcement.STRICT);
    expect(judge.judge(ofKind(Kind.ID, 1))).toBe(Verdict.NotHeld);
    expect(judge.judge(ofKind(Kind.TICKET, 2))).toBe(Verdict.NotHeld);
    expect(judge.judge(ofKind(Kind.PSK, 3))).toBe(Verdict.NotHeld);
  });

  it("does not resume where it has expired", () => {
    const judge = new Judge(Enforcement.STRICT);
    judge.put(ofKind(Kind.ID, 1, "", 10));
    judge.later(10);
    expect(judge.judge(ofKind(Kind.ID, 1))).toBe(Verdict.Resume);
    judge.later(1);
    expect(judge.judge(ofKind(Kind.ID, 1))).toBe(Verdict.NotHeld);
  });

  it("resumes once it was seen to be issued", () => {
    const judge = new Judge(Enforcement.STRICT);
    judge.learn(ofKind(Kind.TICKET, 1));
    expect(judge.judge(ofKind(Kind.TICKET, 1))).toBe(Verdict.Resume);
  });

  it("is any PSK that was not added by hand", () => {
    const judge = new Judge(Enforcement.STRICT);
    judge.resume(ofKind(Kind.PSK, 1));
    judge.put(ofKind(Kind.PSK, 2));
    expect(judge.judge(ofKind(Kind.PSK, 1))).toBe(Verdict.NotHeld);
    expect(judge.judge(ofKind(Kind.PSK, 2))).toBe(Verdict.Resume);
    judge.put(ofKind(Kind.PSK, 1, "shop.example"));
    expect(judge.judge(ofKind(Kind.PSK, 1))).toBe(Verdict.Resume);
  });
});

describe("an observer", () => {
  it("lets everything resume", () => {
    const judge = new Judge(Enforcement.OBSERVE);
    const name = keyName(1);
    judge.bench.cache.remove(idOf(1), 32, Cause.API);
    judge.bench.cache.ticketKeys.remove(name);
    judge.revoke("shop.example");
    const accepted = underKey(ofKind(Kind.TICKET, 1, "shop.example"), name);
    expect(judge.judge(accepted)).toBe(Verdict.Resume);
    judge.bench.cache.settings.changeEnforcement(Enforcement.REVOKED);
    expect(judge.judge(accepted)).toBe(Verdict.RemovedSession);
  });

  it("lets everything resume where the store does not answer, and what enforces refuses it", () => {
    const observer = new Judge(Enforcement.OBSERVE);
    observer.bench.store.broken = true;
    expect(observer.judge(ofKind(Kind.PSK, 1, "shop.example"))).toBe(Verdict.Resume);
    for (let i = 0; i < ENFORCED.length; i++) {
      const judge = new Judge(ENFORCED[i]);
      judge.bench.store.broken = true;
      expect(judge.judge(ofKind(Kind.PSK, 1, "shop.example"))).toBe(Verdict.Unfollowed);
    }
  });
});

describe("what could not be followed", () => {
  it("does not resume, unless nothing is enforced", () => {
    expect(new Judge(Enforcement.OBSERVE).judgeUnfollowed()).toBe(Verdict.Resume);
    for (let i = 0; i < ENFORCED.length; i++) {
      expect(new Judge(ENFORCED[i]).judgeUnfollowed()).toBe(Verdict.Unfollowed);
    }
  });
});

describe("while any server name is revoked", () => {
  it("a session of TLS 1.2 whose issue nobody has seen does not resume under any name", () => {
    const judge = new Judge();
    judge.resume(ofKind(Kind.TICKET, 1, "other.example"));
    judge.learn(ofKind(Kind.TICKET, 2, "other.example"));
    judge.put(ofKind(Kind.ID, 3));
    judge.revoke("shop.example");
    for (let kind = Kind.ID; kind <= Kind.TICKET; kind++) {
      expect(judge.judge(ofKind(kind, 9, "other.example"))).toBe(Verdict.RevokedServerName, "not held");
      expect(judge.judge(ofKind(kind, 9))).toBe(Verdict.RevokedServerName, "not held, and without a name");
    }
    expect(judge.judge(ofKind(Kind.TICKET, 1, "other.example"))).toBe(Verdict.RevokedServerName, "only accepted");
    expect(judge.judge(ofKind(Kind.TICKET, 2, "other.example"))).toBe(Verdict.Resume, "issued");
    expect(judge.judge(ofKind(Kind.ID, 3, "other.example"))).toBe(Verdict.Resume, "by hand");
    judge.lift("shop.example");
    expect(judge.judge(ofKind(Kind.TICKET, 9, "other.example"))).toBe(Verdict.Resume);
  });

  it("what was learned by its acceptance meanwhile does not resume under the revoked name", () => {
    const judge = new Judge();
    judge.revoke("shop.example");
    judge.later(10);
    judge.resume(ofKind(Kind.TICKET, 1, "other.example"));
    judge.resume(ofKind(Kind.PSK, 2, "other.example"));
    expect(judge.judge(ofKind(Kind.TICKET, 1, "shop.example"))).toBe(Verdict.RevokedServerName);
    expect(judge.judge(ofKind(Kind.PSK, 2, "shop.example"))).toBe(Verdict.RevokedServerName);
  });

  it("a PSK goes by the name that its client shows, and does not resume where it shows none", () => {
    const judge = new Judge();
    judge.revoke("shop.example");
    expect(judge.judge(ofKind(Kind.PSK, 1, "other.example"))).toBe(Verdict.Resume);
    expect(judge.judge(ofKind(Kind.PSK, 1))).toBe(Verdict.RevokedServerName);
    judge.revokeUnseen("bank.example");
    expect(judge.judge(ofKind(Kind.PSK, 1, "other.example"))).toBe(Verdict.RevokedServerName, "as that was asked for");
    judge.put(ofKind(Kind.PSK, 1));
    expect(judge.judge(ofKind(Kind.PSK, 1, "other.example"))).toBe(Verdict.Resume, "by hand");
  });
});

describe("a session that was looked up already", () => {
  it("is judged as any other, whatever the enforcement and its state", () => {
    const enforcements: u32[] = [Enforcement.OBSERVE, Enforcement.REVOKED, Enforcement.STRICT];
    for (let i = 0; i < enforcements.length; i++) {
      const judge = new Judge(enforcements[i]);
      judge.put(ofKind(Kind.ID, 1, "", 10));
      judge.learn(ofKind(Kind.ID, 2, "shop.example"));
      judge.learn(ofKind(Kind.ID, 3, "other.example"));
      judge.bench.cache.remove(idOf(4), 32, Cause.API);
      judge.revoke("shop.example");
      judge.later(11);
      judge.learn(ofKind(Kind.ID, 5, "shop.example"));
      let refused = 0;
      for (let number = 1; number <= 6; number++) {
        const accepted = ofKind(Kind.ID, number, number == 3 ? "shop.example" : "");
        const verdict = judge.judgeFound(accepted);
        expect(verdict).toBe(judge.judge(accepted), "session " + number.toString());
        if (verdict != Verdict.Resume) refused++;
      }
      expect(refused).toBe(enforcements[i] == Enforcement.OBSERVE ? 0 : enforcements[i] == Enforcement.STRICT ? 5 : 4);
    }
  });

  it("is told as what it was refused for", () => {
    expect(causeOf(Verdict.RemovedSession)).toBe(EventCause.SESSION);
    expect(causeOf(Verdict.RemovedTicketKey)).toBe(EventCause.TICKET_KEY);
    expect(causeOf(Verdict.RevokedServerName)).toBe(EventCause.SNI);
    expect(causeOf(Verdict.NotHeld)).toBe(EventCause.STRICT);
    expect(causeOf(Verdict.Unfollowed)).toBe(EventCause.UNFOLLOWED);
  });
});
