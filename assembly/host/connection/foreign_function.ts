/**
 * A function of Envoy's beyond the ABI (`proxy_call_foreign_function`). Its argument is a protobuf message, which is written
 * field by field: `begin`, then `addBytes` and `addNumber`, then `call`. One message at a time, of at most MESSAGE_CAPACITY
 * bytes.
 */
import { HostResult, proxy_call_foreign_function } from "../abi";
import { LastingText } from "../lasting_text";
import { OUT_LENGTH, OUT_POINTER, receiveInto } from "../memory";

export class ForeignFunction {
  private readonly name: LastingText;

  constructor(name: string) {
    this.name = new LastingText(name);
  }

  begin(): void {
    length = 0;
  }

  /** Adds a field of at most MAX_FIELD_LENGTH bytes. */
  addBytes(field: u8, bytes: usize, size: i32): void {
    const place = MESSAGE + <usize>length;
    store<u8>(place, (field << 3) | LENGTH_DELIMITED);
    store<u8>(place, <u8>size, 1);
    memory.copy(place + 2, bytes, size);
    length += 2 + size;
  }

  /** Adds a number below 128. */
  addNumber(field: u8, value: u8): void {
    const place = MESSAGE + <usize>length;
    store<u8>(place, (field << 3) | VARINT);
    store<u8>(place, value, 1);
    length += 2;
  }

  /** Calls the function; its answer is dropped. False if the host lacks it or refuses the message. */
  call(): bool {
    receiveInto(0, 0);
    const result = proxy_call_foreign_function(
      this.name.start,
      this.name.length,
      MESSAGE,
      length,
      OUT_POINTER,
      OUT_LENGTH,
    );
    return result == HostResult.OK;
  }
}

/**
 * The life of a filter state or property that lasts as long as the client's connection (Envoy, `LifeSpan` of
 * `DeclarePropertyArguments`).
 */
export const SPAN_DOWNSTREAM_CONNECTION: u8 = 2;
/** A length up to this is one byte of a varint. */
export const MAX_FIELD_LENGTH: i32 = 127;
/** Wire types of protobuf. */
const VARINT: u8 = 0;
const LENGTH_DELIMITED: u8 = 2;
const MESSAGE_CAPACITY: i32 = 264;
const MESSAGE: usize = memory.data(MESSAGE_CAPACITY);
let length: i32 = 0;
