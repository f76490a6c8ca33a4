/**
 * What a network filter has read of its connection: a property that is there, such as an address, stays as it is for the
 * life of the connection, and asking the host again costs more than anything else on the path of a handshake (about 3 us in
 * the midst of other work; `docs/evidence/performance.md`).
 *
 * A fixed number of places, one for each connection by its context's number; connections that share a place displace each
 * other and ask the host again. The host gives no number of a context twice, so nothing has to be cleaned up. O(1).
 *
 * Layout of a place: u32 context (0 = empty), u32 address of the property's path, u32 length, then the value.
 */
/** To be called when the host calls a network filter for a connection, and with 0 when that call ends. */
export function enterConnection(context: u32): void {
  connection = context;
}

/** Copies what was read before of the connection at hand; answers with its length, or -1. */
export function rememberedProperty(path: usize, into: usize, capacity: i32): i32 {
  if (connection == 0) return -1;
  const place = placeOf(connection);
  if (load<u32>(place) != connection || load<u32>(place, 4) != <u32>path) return -1;
  const length = load<i32>(place, 8);
  if (length > capacity) return -1;
  memory.copy(into, place + VALUE_OFFSET, length);
  return length;
}

/** Remembers what was read of the connection at hand; what is too long is not. */
export function rememberProperty(path: usize, value: usize, length: i32): void {
  if (connection == 0 || length <= 0 || length > VALUE_CAPACITY) return;
  const place = placeOf(connection);
  store<u32>(place, connection);
  store<u32>(place, <u32>path, 4);
  store<u32>(place, length, 8);
  memory.copy(place + VALUE_OFFSET, value, length);
}


@inline
function placeOf(context: u32): usize {
  return PLACES + ((<usize>(context % PLACE_COUNT)) << 6);
}

/** Bytes of a place: 64, a line of a processor's cache. An IPv6 address with its port has at most 47. */
const VALUE_OFFSET: usize = 12;
const VALUE_CAPACITY: i32 = 52;
const PLACE_COUNT: u32 = 256;
const PLACES: usize = memory.data(16384, 64);
let connection: u32 = 0;
