/** EventSink: posts events to a cluster of the host (`cluster_call.ts`). For root contexts, as on their ticks. */
import { Delivery, EventSink } from "../../ports/event_sink";
import { HeaderMapType, HostResult, proxy_get_header_map_value } from "../abi";
import { callCluster, callToken } from "../clusters/cluster_call";
import { LastingText } from "../lasting_text";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "../memory";

export class HttpCall extends EventSink {
  private token: u32 = 0;
  private delivery: Delivery = Delivery.None;
  private why: string = "";

  constructor(
    private readonly cluster: string,
    private readonly path: string,
  ) {
    super();
  }

  get state(): Delivery {
    return this.delivery;
  }

  get fault(): string {
    return this.why;
  }

  send(text: usize, length: i32): bool {
    const headers = [
      ":method",
      "POST",
      ":path",
      this.path,
      ":authority",
      this.cluster,
      "content-type",
      "application/json",
    ];
    const result = callCluster(this.cluster, headers, text, length, TIMEOUT_MILLISECONDS);
    if (result != HostResult.OK) {
      // All that the host wants of a call is there: what is wrong can only be the name (`named_cluster.ts`).
      const isMissing = result == HostResult.BAD_ARGUMENT;
      this.why = isMissing
        ? 'Envoy has no cluster "' + this.cluster + '", which events.cluster names'
        : 'Envoy does not begin the call to the cluster "' + this.cluster + '"';
      return false;
    }
    this.token = callToken();
    this.delivery = Delivery.UnderWay;
    return true;
  }

  /** The host has an answer, or has given up, and then there are no headers. */
  answered(token: u32): void {
    if (this.delivery != Delivery.UnderWay || token != this.token) return;
    receiveInto(STATUS, STATUS_CAPACITY);
    const result = proxy_get_header_map_value(
      HeaderMapType.HTTP_CALL_RESPONSE_HEADERS,
      STATUS_NAME.start,
      STATUS_NAME.length,
      OUT_POINTER,
      OUT_LENGTH,
    );
    const accepted = result == HostResult.OK && receivedLength() == 3 && load<u8>(STATUS) == 0x32;
    this.delivery = accepted ? Delivery.Accepted : Delivery.Failed;
    if (accepted) return;
    const answer = result == HostResult.OK ? String.UTF8.decodeUnsafe(STATUS, receivedLength()) : "nothing";
    this.why = 'the cluster "' + this.cluster + '" answers POST ' + this.path + " with " + answer;
  }
}

const TIMEOUT_MILLISECONDS: u32 = 5000;
const STATUS_NAME = new LastingText(":status");
const STATUS_CAPACITY: i32 = 8;
const STATUS: usize = memory.data(STATUS_CAPACITY);
