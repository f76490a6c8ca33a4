/**
 * A mark of one byte on a connection, for HTTP filters. One request sets it; all later requests of the connection find it,
 * however many run at the same time. The host keeps it with the connection, so nothing has to be bounded, aged or cleaned up
 * here.
 *
 * The host keeps a property that a module sets (`proxy_set_property`) for one request, unless the property was declared with
 * a longer span of life. Envoy's function `declare_property` does that; its message has name (field 1), readonly (2), type
 * (3, 0 = bytes), schema (4) and span (5).
 *
 * Cost: one property is read for each request.
 */
import { proxy_set_property } from "../abi";
import { LastingText } from "../lasting_text";
import { PropertyPath } from "../properties";
import { ForeignFunction, MAX_FIELD_LENGTH, SPAN_DOWNSTREAM_CONNECTION } from "./foreign_function";

export class ConnectionMark {
  private readonly name: LastingText;
  private readonly path: PropertyPath;

  /** `name`: of the property, without dots, at most MAX_FIELD_LENGTH bytes. */
  constructor(name: string) {
    this.name = new LastingText(name);
    this.path = new PropertyPath(name);
  }

  /**
   * Declares the property. Call it once, on a root context, before any request. False if the host does not keep properties
   * with connections: a mark then lasts for its request only.
   */
  declareProperty(): bool {
    if (this.name.length > MAX_FIELD_LENGTH) return false;
    DECLARE_PROPERTY.begin();
    DECLARE_PROPERTY.addBytes(1, this.name.start, this.name.length);
    DECLARE_PROPERTY.addNumber(5, SPAN_DOWNSTREAM_CONNECTION);
    return DECLARE_PROPERTY.call();
  }

  /** The mark that an earlier request of this connection has set, 0 for none. */
  value(): u8 {
    return this.path.read(VALUE, 1) == 1 ? load<u8>(VALUE) : 0;
  }

  set(value: u8): void {
    store<u8>(VALUE, value);
    proxy_set_property(this.name.start, this.name.length, VALUE, 1);
  }
}

const DECLARE_PROPERTY = new ForeignFunction("declare_property");
const VALUE: usize = memory.data(1);
