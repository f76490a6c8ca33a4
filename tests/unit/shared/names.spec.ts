import { KeyedHash } from "../../../assembly/shared/keyed_hash";
import { INLINE_NAME, Names } from "../../../assembly/shared/names";
import { FakeStore } from "../support/fake_store";
import { Text } from "../support/sessions";

const NAME: usize = memory.data(256);

describe("the table of names", () => {
  it("enters a name when it is met again, and gives it the same number from then on", () => {
    const names = tableOn(new FakeStore());
    const shop = new Text("shop.example");
    expect(names.numberOf(shop.start, shop.length)).toBe(INLINE_NAME, "it may never come again");
    const number = names.numberOf(shop.start, shop.length);
    expect(number).toBe(1);
    expect(names.numberOf(shop.start, shop.length)).toBe(number);
    expect(textOf(names, number)).toBe("shop.example");
  });

  it("is shared: a number that one machine gave is read by another, which knows the name then", () => {
    const store = new FakeStore();
    const names = tableOn(store);
    for (let i: u32 = 0; i < 300; i++) {
      nameAt(i);
      names.numberOf(NAME, 12);
      expect(names.numberOf(NAME, 12)).toBe(numberAt(i));
    }
    const other = tableOn(store);
    for (let i: u32 = 0; i < 300; i++) {
      nameAt(i);
      expect(textOf(other, numberAt(i))).toBe(String.UTF8.decodeUnsafe(NAME, 12));
      expect(other.numberOf(NAME, 12)).toBe(numberAt(i));
    }
  });

  it("gives a name one number only, when two machines enter it at once or have entered others meanwhile", () => {
    const store = new RivalStore();
    const names = tableOn(store);
    const rival = tableOn(store);
    store.rival = rival;
    for (let i: u32 = 0; i < 40; i++) {
      nameAt(i);
      names.numberOf(NAME, 12);
      rival.numberOf(NAME, 12);
      store.conflictAt(0);
      const number = names.numberOf(NAME, 12);
      expect(number != INLINE_NAME).toBe(true);
      expect(rival.numberOf(NAME, 12)).toBe(number);
      expect(textOf(rival, number)).toBe(String.UTF8.decodeUnsafe(NAME, 12));
    }
    expect(store.happened).toBe(40);
  });

  it("does not take names that come once, however many", () => {
    const store = new FakeStore();
    const names = tableOn(store);
    const shop = new Text("shop.example");
    for (let i: u32 = 0; i < 20_000; i++) {
      nameAt(i);
      expect(names.numberOf(NAME, 12)).toBe(INLINE_NAME);
    }
    expect(store.bytes).toBe(0);
    let meetings = 0;
    while (names.numberOf(shop.start, shop.length) == INLINE_NAME) meetings++;
    expect(meetings < 8).toBe(true, "what wore down does not keep out what is used");
  });

  it("asks for more meetings the fuller it is, and is bounded", () => {
    const store = new FakeStore();
    const names = tableOn(store);
    let entered = 0;
    let most = 0;
    for (let i: u32 = 0; i < 20_000; i++) {
      nameAt(i);
      let meetings = 1;
      while (meetings < 100 && names.numberOf(NAME, 12) == INLINE_NAME) meetings++;
      if (meetings == 100) break;
      entered++;
      if (meetings > most) most = meetings;
    }
    expect(entered).toBe(64 * 255);
    expect(most >= 16).toBe(true);
    expect(store.bytes <= 64 * 4095).toBe(true);
    nameAt(5);
    expect(names.numberOf(NAME, 12)).toBe(numberAt(5), "those that are in it stay");
    expect(tableOn(store).numberOf(NAME, 12)).toBe(INLINE_NAME, "another machine has not looked yet");
  });

  it("answers with nothing for a number that nobody gave, and for a store that does not answer", () => {
    const store = new FakeStore();
    const names = tableOn(store);
    expect(names.start(1)).toBe(0);
    expect(names.lengthOf(0x4000)).toBe(0);
    expect(names.start(0x00ff)).toBe(0);
    store.broken = true;
    nameAt(1);
    for (let meeting = 0; meeting < 5; meeting++) expect(names.numberOf(NAME, 12)).toBe(INLINE_NAME);
  });
});

class RivalStore extends FakeStore {
  rival: Names | null = null;
  happened: i32 = 0;
  private readonly copy: usize = heap.alloc(12);

  otherWriter(): void {
    const rival = this.rival;
    if (!rival) return;
    this.happened++;
    memory.copy(this.copy, NAME, 12);
    // The same name on every second occasion, one of its own on the others.
    if (this.happened & 1) store<u8>(this.copy, 0x7a);
    rival.numberOf(this.copy, 12);
    rival.numberOf(this.copy, 12);
  }
}

function tableOn(store: FakeStore): Names {
  return new Names("default", store, new KeyedHash());
}

/** Puts the name of a number, 12 bytes, to NAME. */
function nameAt(number: u32): void {
  memory.fill(NAME, 0x61, 12);
  let rest = number;
  for (let i = 11; i > 4; i--) {
    store<u8>(NAME + i, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
}

/** The number in the table of the n-th name that was entered. */
function numberAt(n: u32): u16 {
  return <u16>(((n / 255) << 8) + (n % 255) + 1);
}

function textOf(names: Names, number: u16): string {
  return String.UTF8.decodeUnsafe(names.start(number), names.lengthOf(number));
}
