/**
 * The traces of lifted decisions that the journal has, as it has shown them: they are deleted after a week, as every proxy has
 * read them by then (`LIFTED_KEPT_SECONDS`). The process that wrote a trace deletes it; a day later, any proxy does, as most
 * processes do not live so long.
 *
 * Bounds: MAX_TRACES; further ones are noted when the journal is read anew. Cost: nothing on a tick, some 20 us for `nextDue`.
 */
import { LIFTED_KEPT_SECONDS } from "../../session/revocation/told_decision";
import { NamedDecision } from "./named_decision";

/** One trace: the parts of its key, and its mark in the journal. */
export class LiftedTrace {
  readonly type: u8;
  readonly name: StaticArray<u8>;
  readonly mark: u64;
  /** Unix seconds from which on it is to be deleted here. */
  readonly dueAt: u64;

  constructor(decision: NamedDecision, mark: u64, isOwn: bool) {
    const name = new StaticArray<u8>(decision.nameLength);
    memory.copy(changetype<usize>(name), decision.name, decision.nameLength);
    this.type = decision.type;
    this.name = name;
    this.mark = mark;
    this.dueAt = decision.time + LIFTED_KEPT_SECONDS + (isOwn ? 0 : SPARE_SECONDS);
  }
}

export class LiftedTraces {
  /** By the hash of the key. */
  private readonly traces: Map<u64, LiftedTrace> = new Map<u64, LiftedTrace>();

  clear(): void {
    this.traces.clear();
  }

  /** Notes the decision that the journal has under a key; `isOwn`: this process has written it. */
  note(hash: u64, decision: NamedDecision, mark: u64, isOwn: bool): void {
    if (!decision.isLifted) this.traces.delete(hash);
    else if (this.traces.has(hash) || this.traces.size < MAX_TRACES) {
      this.traces.set(hash, new LiftedTrace(decision, mark, isOwn));
    }
  }

  /** The journal has the key no longer, or another value under it. */
  forget(hash: u64): void {
    this.traces.delete(hash);
  }

  /** Returns a trace that is to be deleted, or null. */
  nextDue(nowSeconds: u64): LiftedTrace | null {
    const traces = this.traces.values();
    for (let i = 0; i < traces.length; i++) if (nowSeconds > traces[i].dueAt) return traces[i];
    return null;
  }
}

/** Whether a lifted decision is told no longer, as others are about to delete it; their clocks may differ by a day. */
export function isTraceOver(decision: NamedDecision, nowSeconds: u64): bool {
  return decision.isLifted && nowSeconds > decision.time + LIFTED_KEPT_SECONDS - SPARE_SECONDS;
}

const SPARE_SECONDS: u64 = 86_400;
const MAX_TRACES: i32 = 4096;
