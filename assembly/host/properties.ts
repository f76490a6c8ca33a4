/** Properties of the plugin and of the current connection. */
import { HostResult, proxy_get_property } from "./abi";
import { rememberedProperty, rememberProperty } from "./connection_properties";
import { LastingText } from "./lasting_text";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "./memory";

/** A path of a property, with zero bytes between its parts. Lives as long as the virtual machine. */
export class PropertyPath {
  private readonly path: LastingText;

  /** `path` with dots between its parts. */
  constructor(path: string) {
    const bytes = new LastingText(path);
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes.start + <usize>i;
      if (load<u8>(byte) == DOT) store<u8>(byte, 0);
    }
    this.path = bytes;
  }

  /** Copies the value to `into`; returns its length, or -1 if there is none or it is longer than `capacity`. */
  read(into: usize, capacity: i32): i32 {
    const path = this.path;
    const remembered = rememberedProperty(path.start, into, capacity);
    if (remembered >= 0) return remembered;
    receiveInto(into, capacity);
    const result = proxy_get_property(path.start, path.length, OUT_POINTER, OUT_LENGTH);
    if (result != HostResult.OK) return -1;
    rememberProperty(path.start, into, receivedLength());
    return receivedLength();
  }

  /** Returns the value as text, "" if there is none. For start-up. */
  text(): string {
    const length = this.read(TEXT, TEXT_CAPACITY);
    return length <= 0 ? "" : String.UTF8.decodeUnsafe(TEXT, length);
  }
}

const DOT: u8 = 0x2e;
const TEXT_CAPACITY: i32 = 1024;
const TEXT: usize = memory.data(TEXT_CAPACITY);
