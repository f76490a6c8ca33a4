import { Handshake } from "../../../assembly/tls/handshake";
import { LIVE_MEMORY_MAX, REASSEMBLY_FIRST, REASSEMBLY_MEMORY_MAX } from "../../../assembly/tls/limits";
import {
  allocateBlock,
  allocateReassembly,
  liveHandshakeBytes,
  releaseBlock,
  releaseReassembly,
} from "../../../assembly/tls/memory";
import { Bytes } from "../support/hello_bytes";
import { ClientHelloBuilder } from "../support/hello_builder";
import { Watch } from "../support/hello_watch";

/** Takes all but `left` bytes of the memory for handshakes. */
function takeAllBut(left: i32): usize {
  return allocateBlock(LIVE_MEMORY_MAX - left);
}

describe("the memory of live handshakes", () => {
  it("is counted to the last byte and given back", () => {
    const handshake = Handshake.create();
    expect(liveHandshakeBytes()).toBe(Handshake.size);
    if (handshake) handshake.free();
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("comes zeroed where it was used before", () => {
    const first = allocateBlock(64);
    memory.fill(first, 0xff, 64);
    releaseBlock(first, 64);
    const second = allocateBlock(64);
    let sum = 0;
    for (let i = 0; i < 64; i++) sum += load<u8>(second + i);
    expect(sum).toBe(0);
    releaseBlock(second, 64);
  });

  it("ends at its bound: then a connection goes unwatched", () => {
    const all = takeAllBut(Handshake.size - 1);
    expect(Handshake.create() === null).toBe(true);
    releaseBlock(all, LIVE_MEMORY_MAX - Handshake.size + 1);
    const handshake = Handshake.create();
    expect(handshake === null).toBe(false);
    if (handshake) handshake.free();
  });

  it("gives reassembly no more than its share", () => {
    const half = allocateReassembly(REASSEMBLY_MEMORY_MAX);
    expect(half).not.toBe(0);
    expect(allocateReassembly(1)).toBe(0);
    const block = allocateBlock(1);
    expect(block).not.toBe(0);
    releaseBlock(block, 1);
    releaseReassembly(half, REASSEMBLY_MEMORY_MAX);
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("holds a hello in pieces only until it is whole", () => {
    const hello = new ClientHelloBuilder().sni("shop.example").record();
    const watch = new Watch();
    watch.client(hello.slice(0, 20));
    expect(liveHandshakeBytes()).toBe(Handshake.size + hello.length - 9);
    watch.client(hello.slice(20, hello.length));
    expect(watch.events).toBe("ClientHello");
    expect(liveHandshakeBytes()).toBe(Handshake.size);
    watch.free();
  });

  it("holds of a hello that is announced to be long little more than what has come", () => {
    const long = new ClientHelloBuilder().extension(0xabcd, Bytes.counting(16000)).record();
    const watch = new Watch();
    watch.client(long.slice(0, 20));
    expect(liveHandshakeBytes()).toBe(Handshake.size + REASSEMBLY_FIRST);
    watch.client(long.slice(20, 5000));
    expect(liveHandshakeBytes()).toBe(Handshake.size + 2 * REASSEMBLY_FIRST);
    watch.client(long.slice(5000, long.length));
    expect(watch.events).toBe("ClientHello");
    expect(liveHandshakeBytes()).toBe(Handshake.size);
    watch.free();
  });

  it("is given back with a handshake that ends in the middle of a hello", () => {
    const hello = new ClientHelloBuilder().record();
    const freed = new Watch();
    freed.client(hello.slice(0, 20)).free();
    expect(liveHandshakeBytes()).toBe(0);
    const failed = new Watch();
    failed.client(hello.slice(0, 20)).server(Bytes.of("15 0303 0002 0228"));
    expect(failed.events).toBe("Failed");
    expect(liveHandshakeBytes()).toBe(Handshake.size);
    failed.free();
  });

  it("says so where no memory is left for a hello in pieces, and reads one in one piece all the same", () => {
    const hello = new ClientHelloBuilder().record();
    const all = takeAllBut(2 * Handshake.size);
    const split = new Watch();
    const whole = new Watch();
    split.client(hello.slice(0, 20));
    expect(split.error).toBe("reassembly_full");
    whole.client(hello);
    expect(whole.events).toBe("ClientHello");
    split.free();
    whole.free();
    releaseBlock(all, LIVE_MEMORY_MAX - 2 * Handshake.size);
    expect(liveHandshakeBytes()).toBe(0);
  });
});
