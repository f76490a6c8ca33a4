/**
 * Remembers a property that a network filter has read of its connection, such as an address. It stays the same for the life
 * of the connection, and asking the host again costs more than anything else on the path of a handshake (about 3 us amid
 * other work; `docs/evidence/performance.md`).
 *
 * A fixed number of places, one for each property of a connection, by its context's number and its path. Those that share a
 * place displace each other and ask the host again. The host gives no number of a context twice, so nothing has to be cleaned up. O(1).
 */

/** Makes a connection the current one, when the host calls a network filter for it; 0 for none, when that call ends. */
export function enterConnection(context: u32): void {
  connection = context;
}

/** Copies a remembered property of the current connection; returns its length, or -1. */
export function rememberedProperty(path: usize, into: usize, capacity: i32): i32 {
  if (connection == 0) return -1;
  const place = placeOf(connection, path);
  if (place.connection != connection || place.path != <u32>path || place.length > capacity) return -1;
  memory.copy(into, changetype<usize>(place) + VALUE_OFFSET, place.length);
  return place.length;
}

/** Remembers a property of the current connection, unless it is empty or too long. */
export function rememberProperty(path: usize, value: usize, length: i32): void {
  if (connection == 0 || length <= 0 || length > VALUE_CAPACITY) return;
  const place = placeOf(connection, path);
  place.connection = connection;
  place.path = <u32>path;
  place.length = length;
  memory.copy(changetype<usize>(place) + VALUE_OFFSET, value, length);
}

/** Layout: the fields, then VALUE_CAPACITY bytes of the value. */
@unmanaged
class Place {
  /** Number of its context; 0 for an empty place. */
  connection: u32;
  /** Address of the property's path. */
  path: u32;
  length: i32;
}

/** The place of a connection's property, whoever has it. */
@inline
function placeOf(context: u32, path: usize): Place {
  // Paths lie at addresses that are multiples of 16.
  return changetype<Place>(PLACES + <usize>((context + ((<u32>path) >> 4) * PATH_STEP) % PLACE_COUNT) * PLACE_SIZE);
}

/** A line of a processor's cache. */
const PLACE_SIZE: usize = 64;
const VALUE_OFFSET: usize = offsetof<Place>();
/** An IPv6 address with its port has at most 47 bytes. */
const VALUE_CAPACITY: i32 = 52;
const PLACE_COUNT: u32 = 256;
/** Odd, so that different paths of a connection have different places, as long as they differ in the low bits. */
const PATH_STEP: u32 = 37;
const PLACES: usize = memory.data(<i32>(<usize>PLACE_COUNT * PLACE_SIZE), 64);
let connection: u32 = 0;
