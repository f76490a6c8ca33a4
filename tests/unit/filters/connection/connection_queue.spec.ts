import { ConnectionQueue } from "../../../../assembly/filters/connection/connection_queue";

function expectFirst(queue: ConnectionQueue, number: u32): void {
  expect(queue.context).toBe(number);
  expect(queue.word).toBe(number * 2);
  expect(queue.since).toBe(<u64>number * 1_000_000_007);
}

function push(queue: ConnectionQueue, number: u32): void {
  queue.push(number, number * 2, <u64>number * 1_000_000_007);
}

describe("a queue of connections", () => {
  it("gives them back in the order in which they came, however many there are", () => {
    const queue = new ConnectionQueue();
    expect(queue.length).toBe(0);
    for (let number: u32 = 1; number <= 1000; number++) push(queue, number);
    expect(queue.length).toBe(1000);
    for (let number: u32 = 1; number <= 1000; number++) {
      expectFirst(queue, number);
      queue.shift();
    }
    expect(queue.length).toBe(0);
    queue.free();
  });

  it("keeps their order where it grows in the middle of a round", () => {
    const queue = new ConnectionQueue();
    let first: u32 = 1;
    let last: u32 = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 7; i++) push(queue, ++last);
      for (let i = 0; i < 3; i++) {
        expectFirst(queue, first++);
        queue.shift();
      }
    }
    expect(queue.length).toBe(last - first + 1);
    while (queue.length > 0) {
      expectFirst(queue, first++);
      queue.shift();
    }
    expect(first).toBe(last + 1);
    queue.free();
  });
});
