/**
 * The store as reading and writing know it: whether it is reached, which one it is, and how far it is. Both see from any
 * answer whether it has forgotten something: its cluster is another one; or its revision is below the one that was known when the
 * call began; or the key that only this proxy writes is not as this proxy left it.
 */
import { JournalCall } from "../../ports/journal";
import { GrpcCalls } from "../grpc/grpc_calls";
import { LastingText } from "../lasting_text";
import { Header } from "./etcd_message";
import { EtcdRequest } from "./etcd_request";
import { Failures } from "./failures";
import { Leases } from "./leases";
import { PresenceMark } from "./presence_mark";

export class EtcdStore {
  readonly request: EtcdRequest;
  readonly presence: PresenceMark;
  readonly leases: Leases = new Leases();
  readonly failures: Failures = new Failures();
  /** Of the last tick; and when something came last. */
  now: u64 = 0;
  heardAt: u64 = 0;
  /** It has answered since the last failure of reading. */
  isReached: bool = false;
  clusterId: u64 = 0;
  /** The greatest revision of an answer that the store's members agree on. */
  revision: u64 = 0;
  /** Something was forgotten, and reading has not begun again. */
  isLost: bool = false;

  private readonly keyValue: LastingText = new LastingText("etcdserverpb.KV");
  private readonly lease: LastingText = new LastingText("etcdserverpb.Lease");
  private readonly watch: LastingText = new LastingText("etcdserverpb.Watch");
  private readonly range: LastingText = new LastingText("Range");
  private readonly put: LastingText = new LastingText("Put");
  private readonly transaction: LastingText = new LastingText("Txn");
  private readonly leaseGrant: LastingText = new LastingText("LeaseGrant");
  private readonly watchMethod: LastingText = new LastingText("Watch");

  constructor(
    readonly calls: GrpcCalls,
    prefix: string,
    presenceKey: string,
  ) {
    this.request = new EtcdRequest(prefix);
    this.presence = new PresenceMark(presenceKey);
  }

  /** Begins the call that `request` holds; 0 if the host does not. */
  begin(call: u8): u32 {
    let service = this.keyValue;
    let method = this.put;
    if (call == JournalCall.RANGE) method = this.range;
    else if (call == JournalCall.TXN || call == JournalCall.DELETE) method = this.transaction;
    else if (call == JournalCall.LEASE) {
      service = this.lease;
      method = this.leaseGrant;
    }
    return this.calls.call(service, method, this.request.start, this.request.length, CALL_MILLISECONDS);
  }

  /** Begins a watch with the request that `request` holds; 0 if the host does not. */
  beginWatch(): u32 {
    const token = this.calls.open(this.watch, this.watchMethod);
    if (token == 0 || this.calls.send(token, this.request.start, this.request.length)) return token;
    this.calls.cancel(token);
    return 0;
  }

  /** Something came. */
  hear(): void {
    this.heardAt = this.now;
  }

  /** Reports whether an answer comes from another store than before. */
  isOther(header: Header): bool {
    return this.clusterId != 0 && header.clusterId != this.clusterId;
  }

  /**
   * Takes the header of an answer to a call that began when the revision `floor` was known. The members of a store agree on it, so
   * a lower one means that changes are gone.
   */
  take(header: Header, floor: u64): void {
    if (this.isOther(header) || header.revision < floor) return this.lose(header);
    this.clusterId = header.clusterId;
    this.revision = max(this.revision, header.revision);
  }

  /** The store may have forgotten something: takes it as it is now. */
  lose(header: Header): void {
    this.isLost = true;
    this.clusterId = header.clusterId;
    this.revision = header.revision;
    this.leases.forgetAll();
    this.presence.forget();
  }
}

/** A little later than the host's own deadline. */
export const CALL_NANOSECONDS: u64 = 2_500_000_000;
/** After a failure to begin a call; the host may say why (`EtcdJournal.closed`). */
export const REFUSED_TEXT: string = "Envoy does not begin the call";

/** Of every call but a watch. */
const CALL_MILLISECONDS: u32 = 2000;
