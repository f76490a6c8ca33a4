/** Names of rows for tests of the small tables. */
import { TABLE_PAGES } from "../../../assembly/shared/table";
import { fakeHash } from "./fake_entropy";
import { Text } from "./sessions";

/** 16 bytes made of a number. */
export function keyName(number: u32): usize {
  const name = heap.alloc(16);
  memory.fill(name, 0x5a, 16);
  store<u32>(name, bswap(number));
  return name;
}

/** `count` names of ticket keys that live in one page. */
export function keyNamesOfOnePage(count: i32): usize[] {
  const names: usize[] = [];
  for (let number: u32 = 0; names.length < count; number++) {
    const name = keyName(number);
    if ((fakeHash().of(name, 16) & (TABLE_PAGES - 1)) == 7) names.push(name);
    else heap.free(name);
  }
  return names;
}

/** `count` server names in lower case that live in one page. */
export function serverNamesOfOnePage(count: i32): string[] {
  const names: string[] = [];
  for (let number = 0; names.length < count; number++) {
    const name = "shop" + number.toString() + ".example";
    const text = new Text(name);
    if ((fakeHash().of(text.start, text.length) & (TABLE_PAGES - 1)) == 7) names.push(name);
    heap.free(text.start);
  }
  return names;
}
