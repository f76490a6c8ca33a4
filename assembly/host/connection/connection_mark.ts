/**
 * A mark on a connection, one byte, for HTTP filters: set while one of its requests is handled, found by all later ones, whatever
 * number of them run at the same time. It is kept by the host with the connection and goes with it, so nothing has to
 * be bounded, aged or cleaned up here.
 *
 * The host keeps what a module sets as a property (`proxy_set_property`) for the one request, unless the property was
 * declared with another span of life: Envoy's foreign function `declare_property`, whose argument is a protobuf message
 * of name (field 1), readonly (2), type (3, 0 = bytes), schema (4) and span (5; 2 = the downstream connection).
 *
 * Cost: one look at a property for each request.
 */
import { HostResult, proxy_call_foreign_function, proxy_set_property } from "../abi";
import { OUT_LENGTH, OUT_POINTER, receiveInto } from "../memory";
import { PropertyPath } from "../properties";

export class ConnectionMark {
  private readonly name: ArrayBuffer;
  private readonly path: PropertyPath;

  /** `name`: of the property, without dots, at most LONGEST_NAME bytes. */
  constructor(name: string) {
    this.name = String.UTF8.encode(name);
    this.path = new PropertyPath(name);
  }

  /**
   * To be called once, on a root context, before any request. False where the host does not keep properties with
   * connections: a mark then lasts for its request only.
   */
  announce(): bool {
    const length = this.name.byteLength;
    if (length > LONGEST_NAME) return false;
    const message = new StaticArray<u8>(2 + length + 2);
    const start = changetype<usize>(message);
    store<u8>(start, 0x0a); // field 1, length-delimited
    store<u8>(start + 1, <u8>length);
    memory.copy(start + 2, changetype<usize>(this.name), length);
    store<u8>(start + 2 + length, 0x28); // field 5, varint
    store<u8>(start + 3 + length, SPAN_DOWNSTREAM_CONNECTION);
    receiveInto(0, 0);
    const result = proxy_call_foreign_function(
      changetype<usize>(DECLARE_PROPERTY),
      DECLARE_PROPERTY.byteLength,
      start,
      message.length,
      OUT_POINTER,
      OUT_LENGTH,
    );
    return result == HostResult.OK;
  }

  /** The mark that an earlier request of this connection has set, 0 for none. */
  value(): u8 {
    return this.path.read(VALUE, 1) == 1 ? load<u8>(VALUE) : 0;
  }

  set(value: u8): void {
    store<u8>(VALUE, value);
    proxy_set_property(changetype<usize>(this.name), this.name.byteLength, VALUE, 1);
  }
}

/** Its length is one byte of a varint. */
const LONGEST_NAME: i32 = 127;
const SPAN_DOWNSTREAM_CONNECTION: u8 = 2;
const DECLARE_PROPERTY: ArrayBuffer = String.UTF8.encode("declare_property");
const VALUE: usize = memory.data(1);
