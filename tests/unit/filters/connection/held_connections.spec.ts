import { HeldConnections, MAX_HELD } from "../../../../assembly/filters/connection/held_connections";
import { ObservedConnection } from "../../../../assembly/filters/connection/observed_connection";
import { addContext, findContext, removeContext } from "../../../../assembly/host/contexts";
import { Root } from "../../../../assembly/host/roots";

class NoFilter extends Root {
  configure(text: usize, length: i32): bool {
    return true;
  }

  tick(): void {}

  free(): void {}
}

const root = new NoFilter();

/** A connection of a live context, without a handshake. */
function open(number: u32): ObservedConnection {
  addContext(number, root);
  const place = heap.alloc(offsetof<ObservedConnection>());
  memory.fill(place, 0, offsetof<ObservedConnection>());
  const connection = changetype<ObservedConnection>(place);
  connection.context = number;
  findContext(number)!.state = changetype<usize>(connection);
  return connection;
}

/** The connection is gone, as the observer gets to know it. */
function close(held: HeldConnections, connection: ObservedConnection): void {
  const context = connection.context;
  held.remove(connection);
  removeContext(context);
  heap.free(changetype<usize>(connection));
}

describe("held connections", () => {
  it("are taken out in the order in which they came, without those that ended or were taken out before", () => {
    const held = new HeldConnections();
    const connections: ObservedConnection[] = [];
    for (let number: u32 = 1; number <= 100; number++) {
      const connection = open(number);
      expect(held.add(connection)).toBe(true);
      connections.push(connection);
    }
    for (let i = 0; i < 100; i += 3) held.remove(connections[i]);
    held.remove(connections[0]);
    for (let i = 1; i < 100; i += 3) close(held, connections[i]);
    for (let i = 2; i < 100; i += 3) {
      expect(held.isEmpty).toBe(false);
      const connection = held.shift()!;
      expect(connection.context).toBe(<u32>(i + 1));
      expect(connection.isHeld).toBe(false);
    }
    expect(held.isEmpty).toBe(true);
    expect(held.shift() == null).toBe(true);
    for (let i = 0; i < 100; i++) if (i % 3 != 1) close(held, connections[i]);
    held.free();
  });

  it("are bounded, and those that end give their places back", () => {
    const held = new HeldConnections();
    let number: u32 = 1000;
    const first = open(number++);
    held.add(first);
    let added: u32 = 0;
    for (let i: u32 = 0; i < MAX_HELD * 3; i++) {
      const connection = open(number++);
      if (held.add(connection)) added++;
      close(held, connection);
    }
    const others: ObservedConnection[] = [];
    for (let i: u32 = 1; i < MAX_HELD; i++) {
      const connection = open(number++);
      if (held.add(connection)) added++;
      others.push(connection);
    }
    expect(added).toBe(MAX_HELD * 4 - 1);
    const more = open(number++);
    expect(held.add(more)).toBe(false);
    expect(more.isHeld).toBe(false);
    expect(held.shift()!.context).toBe(1000, "the oldest has kept its place");
    expect(held.add(more)).toBe(true);
    close(held, first);
    close(held, more);
    for (let i = 0; i < others.length; i++) close(held, others[i]);
    expect(held.isEmpty).toBe(true);
    held.free();
  });
});
