/**
 * A text that the host keeps with the connection or request at hand, for its access log: in Envoy filter state, which a
 * log's format prints as `%FILTER_STATE(wasm.NAME:PLAIN)%`. A field that was never written prints as `-`.
 *
 * Whoever writes one promises that its bytes cannot break a line of a log: they are never what a client or server sent.
 * Cost: one host call, which allocates at the host.
 */
import { proxy_set_property } from "./abi";

/** Bytes of ASCII that live as long as the virtual machine. */
export class Word {
  readonly start: usize;
  readonly length: i32;

  constructor(text: string) {
    this.length = text.length;
    this.start = heap.alloc(text.length + 1);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.start);
  }
}

export class LogField {
  private readonly name: Word;

  /** `name`: ASCII, without dots. */
  constructor(name: string) {
    this.name = new Word(name);
  }

  write(text: usize, length: i32): void {
    proxy_set_property(this.name.start, this.name.length, text, length);
  }

  say(word: Word): void {
    this.write(word.start, word.length);
  }
}
