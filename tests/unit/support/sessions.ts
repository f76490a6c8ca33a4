/** Caches and sessions for tests, said in few words. */
import { Cache, Lookup } from "../../../assembly/session/cache";
import { GivenSettings, Settings } from "../../../assembly/session/settings/settings";
import { Known, Session } from "../../../assembly/session/record/session";
import { FakeClock } from "./fake_clock";
import { FakeEntropy } from "./fake_entropy";
import { FakeMetrics } from "./fake_metrics";
import { FakeStore } from "./fake_store";

/** One cache with all that stands around it. A second one on the same store is another worker. */
export class Bench {
  readonly cache: Cache;

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
    readonly metrics: FakeMetrics = new FakeMetrics(),
    readonly given: GivenSettings = new GivenSettings(),
    name: string = "default",
  ) {
    const settings = new Settings(name, store, new FakeEntropy());
    settings.configure("filter", given);
    this.cache = new Cache(settings, store, clock, metrics);
  }

  /** Another worker on the same cache. */
  worker(): Bench {
    return new Bench(this.store, this.clock, this.metrics, this.given);
  }

  count(metric: i32): i32 {
    return <i32>this.metrics.read(metric);
  }

  number(): i32 {
    return <i32>this.cache.number();
  }
}

/** A bench whose cache has the given size. */
export function benchOfSize(cacheSize: i64, maxMemoryMib: i64 = 1): Bench {
  const given = new GivenSettings();
  given.cacheSize = cacheSize;
  given.maxMemoryMib = maxMemoryMib;
  return new Bench(new FakeStore(), new FakeClock(), new FakeMetrics(), given);
}

/** A session whose ID is 32 bytes made of a number. */
export function session(number: u32, timeoutSeconds: u32 = 0): Session {
  const made = new Session();
  made.id = idOf(number);
  made.idLength = 32;
  if (timeoutSeconds > 0) {
    made.timeoutSeconds = timeoutSeconds;
    made.known |= Known.TIMEOUT;
  }
  return made;
}

/** Static room for one ID of each of 4096 numbers. */
export function idOf(number: u32): usize {
  const id = IDS + <usize>((number & 4095) << 5);
  memory.fill(id, 0xa5, 32);
  store<u32>(id, bswap(number));
  return id;
}

/** The state of a session in a cache. */
export function look(cache: Cache, number: u32): Lookup {
  return cache.peek(idOf(number), 32);
}

/** Static copy of a text, and its length in bytes. */
export class Text {
  readonly length: i32;
  readonly start: usize;

  constructor(text: string) {
    this.length = String.UTF8.byteLength(text);
    this.start = heap.alloc(this.length + 1);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.start);
  }
}

const IDS: usize = memory.data(131072, 8);
