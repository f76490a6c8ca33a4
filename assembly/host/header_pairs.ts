/**
 * Encodes a header map as the ABI does: u32 count, u32 lengths of names and values in turn, then all texts, each with a zero
 * byte.
 */
export function encodePairs(headers: string[]): StaticArray<u8> {
  let size = 4 + headers.length * 4;
  for (let i = 0; i < headers.length; i++) size += String.UTF8.byteLength(headers[i]) + 1;
  const pairs = new StaticArray<u8>(size);
  const start = changetype<usize>(pairs);
  store<u32>(start, headers.length / 2);
  let text = start + 4 + <usize>headers.length * 4;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i];
    const length = String.UTF8.encodeUnsafe(changetype<usize>(header), header.length, text);
    store<u32>(start + 4 + <usize>i * 4, <u32>length);
    text += length + 1;
  }
  return pairs;
}
