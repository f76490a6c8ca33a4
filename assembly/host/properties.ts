/** Properties of the plugin and of the connection at hand. */
import { HostResult, proxy_get_property } from "./abi";
import { rememberedProperty, rememberProperty } from "./connection_properties";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "./memory";

/** A path of a property, its parts parted by zero bytes. Lives as long as the virtual machine. */
export class PropertyPath {
  private readonly start: usize;
  private readonly length: i32;

  /** `path` with dots between its parts. */
  constructor(path: string) {
    const length = String.UTF8.byteLength(path);
    const start = heap.alloc(length);
    String.UTF8.encodeUnsafe(changetype<usize>(path), path.length, start);
    for (let i = 0; i < length; i++) {
      if (load<u8>(start + i) == 0x2e) store<u8>(start + i, 0);
    }
    this.start = start;
    this.length = length;
  }

  /** Copies the value to `into`; answers with its length, or -1 where there is none or it is longer than `capacity`. */
  read(into: usize, capacity: i32): i32 {
    const remembered = rememberedProperty(this.start, into, capacity);
    if (remembered >= 0) return remembered;
    receiveInto(into, capacity);
    const result = proxy_get_property(this.start, this.length, OUT_POINTER, OUT_LENGTH);
    if (result != HostResult.OK) return -1;
    rememberProperty(this.start, into, receivedLength());
    return receivedLength();
  }

  /** The value as text, "" where there is none. For start-up. */
  text(): string {
    const length = this.read(TEXT, TEXT_CAPACITY);
    return length <= 0 ? "" : String.UTF8.decodeUnsafe(TEXT, length);
  }
}

const TEXT_CAPACITY: i32 = 1024;
const TEXT: usize = memory.data(1024);
