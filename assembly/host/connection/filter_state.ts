/**
 * A filter state of Envoy's that decides where a connection goes, such as `envoy.tcp_proxy.cluster`. tcp_proxy reads it when
 * the connection goes on. Set by Envoy's function `set_envoy_filter_state`, whose message has key (field 1), value (2) and
 * span (3).
 */
import { LastingText } from "../lasting_text";
import { ForeignFunction, SPAN_DOWNSTREAM_CONNECTION } from "./foreign_function";

export class FilterState {
  private readonly key: LastingText;

  /** `key`: at most MAX_FIELD_LENGTH bytes. */
  constructor(key: string) {
    this.key = new LastingText(key);
  }

  /** Sets it for the current connection, to at most MAX_FIELD_LENGTH bytes. False if the host does not know the key. */
  set(value: usize, length: i32): bool {
    SET_FILTER_STATE.begin();
    SET_FILTER_STATE.addBytes(1, this.key.start, this.key.length);
    SET_FILTER_STATE.addBytes(2, value, length);
    SET_FILTER_STATE.addNumber(3, SPAN_DOWNSTREAM_CONNECTION);
    return SET_FILTER_STATE.call();
  }
}

const SET_FILTER_STATE = new ForeignFunction("set_envoy_filter_state");
