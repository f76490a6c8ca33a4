import { RemovalList, Removes } from "../../../../assembly/session/configured/removal_list";
import { RemovalSet } from "../../../../assembly/session/configured/removal_set";
import { StoredValue } from "../../../../assembly/shared/stored_value";
import { fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";
import { idOf, Text } from "../../support/sessions";

const SHORT: usize = memory.data(256);
const STORED: usize = memory.data(64, 8);

function store8(offset: usize, byte: u8): void {
  store<u8>(STORED + offset, byte);
}

function add(list: RemovalList, kind: Removes, text: string): void {
  const bytes = new Text(text);
  list.add(kind, bytes.start, bytes.length);
}

function setOf(list: RemovalList, since: u64 = 100): RemovalSet {
  const set = new RemovalSet(fakeHash());
  list.since = since;
  set.build([list]);
  return set;
}

function revokedAt(set: RemovalSet, name: string): u64 {
  const text = new Text(name);
  return set.revokedAt(text.start, text.length);
}

describe("the set of removed things", () => {
  it("is empty at first, and asks nothing", () => {
    const set = new RemovalSet(fakeHash());
    expect(set.sessions + set.ticketKeys + set.serverNames).toBe(0);
    expect(set.removesSession(idOf(1), 32)).toBe(false);
    expect(set.removesTicketKey(idOf(1))).toBe(false);
    expect(set.removesSessionOf(1)).toBe(false);
    expect(revokedAt(set, "shop.example")).toBe(0);
  });

  it("has sessions of any length, ticket keys and names, each as what it is", () => {
    const list = new RemovalList();
    list.add(Removes.Session, idOf(1), 32);
    list.add(Removes.Session, idOf(2), 1);
    list.add(Removes.TicketKey, idOf(3), 16);
    add(list, Removes.ServerName, "Shop.Example");
    const set = setOf(list, 4000);
    expect(set.removesSession(idOf(1), 32)).toBe(true);
    expect(set.removesSession(idOf(1), 31)).toBe(false, "its beginning");
    expect(set.removesSession(idOf(2), 1)).toBe(true);
    expect(set.removesSession(idOf(3), 16)).toBe(false, "a ticket key is not a session");
    expect(set.removesTicketKey(idOf(3))).toBe(true);
    expect(set.removesTicketKey(idOf(1))).toBe(false);
    expect(revokedAt(set, "shop.EXAMPLE")).toBe(4000, "names have no case");
    expect(revokedAt(set, "shop.exampl")).toBe(0);
    expect(set.sessions).toBe(2);
    expect(set.ticketKeys).toBe(1);
    expect(set.serverNames).toBe(1);
  });

  it("has the other handles of a session whose first handle is removed", () => {
    const list = new RemovalList();
    list.add(Removes.Session, idOf(1), 32);
    const set = setOf(list);
    expect(set.removesSessionOf(fakeHash().nameOf(idOf(1), 32))).toBe(true);
    expect(set.removesSessionOf(fakeHash().nameOf(idOf(2), 32))).toBe(false);
  });

  it("counts an entry once, with the latest time", () => {
    const one = new RemovalList();
    add(one, Removes.ServerName, "a.example");
    add(one, Removes.ServerName, "A.example");
    const other = new RemovalList();
    add(other, Removes.ServerName, "a.example");
    one.since = 70;
    other.since = 60;
    const set = new RemovalSet(fakeHash());
    set.build([one, other]);
    expect(set.serverNames).toBe(1);
    expect(revokedAt(set, "a.example")).toBe(70);
  });

  it("holds thousands of entries, the shortest and the longest ones", () => {
    const list = new RemovalList();
    for (let number: u32 = 0; number < 4000; number++) list.add(Removes.Session, idOf(number), 32);
    for (let byte: i32 = 0; byte < 256; byte++) {
      store<u8>(SHORT, <u8>byte);
      list.add(Removes.Session, SHORT, 1);
    }
    memory.fill(SHORT, 0x61, 255);
    list.add(Removes.ServerName, SHORT, 255);
    const set = setOf(list);
    expect(set.sessions).toBe(4256);
    let held = 0;
    for (let number: u32 = 0; number < 4000; number++) if (set.removesSession(idOf(number), 32)) held++;
    expect(held).toBe(4000);
    expect(set.revokedAt(SHORT, 255)).toBe(100);
    expect(set.nth(Removes.Session, 4255) >= 0).toBe(true);
    expect(set.nth(Removes.Session, 4256)).toBe(-1);
    set.build([]);
    expect(set.sessions).toBe(0, "the next set begins empty");
    expect(set.removesSession(idOf(7), 32)).toBe(false);
  });

  it("ends at an entry that is not well-formed", () => {
    const store = new FakeStore();
    const value = new StoredValue("edge", "removed", store);
    memory.fill(STORED, 0, 42);
    store8(8 + 1, 32);
    memory.copy(STORED + 10, idOf(1), 32);
    for (let size = 8; size <= 42; size++) {
      value.overwrite(STORED, size);
      const list = new RemovalList();
      expect(list.read(value, 0)).toBe(true);
      expect(setOf(list).sessions).toBe(size == 42 ? 1 : 0, size.toString() + " bytes");
    }
    store8(8, 9);
    value.overwrite(STORED, 42);
    const list = new RemovalList();
    expect(list.read(value, 0)).toBe(true);
    expect(setOf(list).sessions).toBe(0, "a kind that there is not");
  });
});

describe("a stored list", () => {
  it("is that of its registration only, and empty while it is not there", () => {
    const value = new StoredValue("edge", "removed", new FakeStore());
    const list = new RemovalList();
    list.add(Removes.Session, idOf(1), 32);
    expect(new RemovalList().read(value, 5)).toBe(true);
    expect(list.store(value, 5)).toBe(true);
    const other = new RemovalList();
    expect(other.read(value, 6)).toBe(true);
    expect(other.isEmpty).toBe(true);
    expect(other.read(value, 5)).toBe(true);
    expect(setOf(other).removesSession(idOf(1), 32)).toBe(true);
  });
});
