/**
 * A text that the host keeps with the current connection or request, for its access log. Envoy keeps it as filter state, and
 * a log format prints it as `%FILTER_STATE(wasm.NAME:PLAIN)%`. A field that was never written prints as `-`.
 *
 * Callers write only words of their own and hex digits, never bytes of a client or server: no field can break a line of a
 * log. Cost: one host call, which allocates at the host.
 */
import { proxy_set_property } from "../abi";
import { LastingText } from "../lasting_text";

export class LogField {
  private readonly name: LastingText;

  /** `name`: ASCII, without dots. */
  constructor(name: string) {
    this.name = new LastingText(name);
  }

  write(text: usize, length: i32): void {
    proxy_set_property(this.name.start, this.name.length, text, length);
  }

  writeWord(word: LastingText): void {
    this.write(word.start, word.length);
  }
}
