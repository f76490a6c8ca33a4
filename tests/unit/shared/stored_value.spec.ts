import { StoreResult } from "../../../assembly/ports/shared_store";
import { StoredValue } from "../../../assembly/shared/stored_value";
import { FakeStore } from "../support/fake_store";

const BUFFER: usize = memory.data(8, 8);

function put(value: StoredValue, number: u64): StoreResult {
  store<u64>(BUFFER, number);
  return value.put(BUFFER, 8);
}

function read(value: StoredValue): u64 {
  store<u64>(BUFFER, 0);
  value.read(BUFFER, 8);
  return load<u64>(BUFFER);
}

describe("a stored value", () => {
  it("is created if the last read has found none, and replaced if it has found one", () => {
    const value = new StoredValue("default", "test", new FakeStore());
    expect(value.read(BUFFER, 8)).toBe(StoreResult.Absent);
    expect(value.exists).toBe(false);
    expect(value.mark).toBe(0);
    expect(put(value, 1)).toBe(StoreResult.Ok);
    expect(put(value, 2)).toBe(StoreResult.Conflict, "it is there now, and was not read");
    expect(read(value)).toBe(1);
    expect(value.exists).toBe(true);
    expect(value.length).toBe(8);
    expect(put(value, 2)).toBe(StoreResult.Ok);
    expect(read(value)).toBe(2);
  });

  it("is not replaced after another writer has replaced it", () => {
    const store = new FakeStore();
    const one = new StoredValue("default", "test", store);
    const other = new StoredValue("default", "test", store);
    put(one, 1);
    read(one);
    read(other);
    expect(put(other, 2)).toBe(StoreResult.Ok);
    expect(put(one, 3)).toBe(StoreResult.Conflict);
    read(one);
    expect(put(one, 3)).toBe(StoreResult.Ok);
    expect(read(other)).toBe(3);
  });

  it("keeps the mark of its own last read, whatever else is read meanwhile", () => {
    const store = new FakeStore();
    const one = new StoredValue("default", "one", store);
    const other = new StoredValue("default", "other", store);
    put(one, 1);
    put(other, 10);
    read(one);
    read(other);
    expect(put(one, 2)).toBe(StoreResult.Ok);
    expect(read(other)).toBe(10);
  });

  it("of a family is that of the number that was selected last", () => {
    const value = new StoredValue("default", "family", new FakeStore());
    for (let number: u32 = 0; number < 3; number++) {
      value.select(number);
      expect(value.read(BUFFER, 8)).toBe(StoreResult.Absent);
      expect(put(value, 100 + number)).toBe(StoreResult.Ok);
    }
    value.select(1);
    expect(read(value)).toBe(101);
  });

  it("of another size is as none to a reader that needs a whole one", () => {
    const value = new StoredValue("default", "test", new FakeStore());
    put(value, 1);
    expect(value.readWhole(BUFFER, 8)).toBe(true);
    expect(value.readWhole(BUFFER, 16)).toBe(false);
    expect(value.exists).toBe(false);
    expect(value.readWhole(BUFFER, 4)).toBe(false);
    expect(value.exists).toBe(false);
  });

  it("that is too long, or cannot be read, has neither length nor mark", () => {
    const store = new FakeStore();
    const value = new StoredValue("default", "test", store);
    put(value, 1);
    read(value);
    expect(value.read(BUFFER, 4)).toBe(StoreResult.TooLarge);
    expect(value.length).toBe(0);
    expect(value.mark).toBe(0);
    read(value);
    store.broken = true;
    expect(value.read(BUFFER, 8)).toBe(StoreResult.Failed);
    expect(value.exists).toBe(false);
    expect(value.mark).toBe(0);
  });
});
