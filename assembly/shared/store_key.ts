/**
 * The keys of a cache in the shared store. All begin with the format's number and the cache's name, so several named caches
 * live side by side, and a later format does not read this one's pages. A family of numbered values ends with a number, u32.
 *
 *   "tls_session_cache/2/NAME/settings"          settings and registrations, see `settings.ts`
 *   "tls_session_cache/2/NAME/changed"           empty; another mark after each change, see `changes.ts`
 *   "tls_session_cache/2/NAME/sweeper"           the lease of the one sweeper, see `sweeper.ts`
 *   "tls_session_cache/2/NAME/directory" + u32   which of 4096 pages exist, see `directory.ts`
 *   "tls_session_cache/2/NAME/page" + u32        one page, see `page.ts`
 *   "tls_session_cache/2/NAME/counts"            how much it holds, see `counts.ts`
 *   "tls_session_cache/2/NAME/tally"             its counters, see `tally.ts`
 *   "tls_session_cache/2/NAME/names" + u32       names that sessions share, see `names.ts`
 *   "tls_session_cache/2/NAME/names_turn"        which half of them takes new ones, see `names.ts`
 *   "tls_session_cache/2/NAME/ticket_keys" + u32, ".../revocations" + u32, ".../issuers" + u32       rows, see `table.ts`
 *   "tls_session_cache/2/NAME/removed" + u32     the things that one configuration removes, see `configured_removals.ts`
 *   "tls_session_cache/2/NAME/removals_changed"  empty; another mark after each change of these
 *   "tls_session_cache/2/NAME/events/..."        outboxes and the log, see `events/`
 *   "tls_session_cache/2/NAME/steering/..."      see the folder `steering`
 *
 * A key is built once for each cache; afterwards only the number at its end is written. Use allocates nothing.
 */
export class StoreKey {
  readonly start: usize;
  /** Without the number until `select` is called, with it afterwards. */
  length: i32;
  private readonly number: usize;

  constructor(cacheName: string, family: string) {
    const text = "tls_session_cache/2/" + cacheName + "/" + family;
    const textLength = String.UTF8.byteLength(text);
    this.start = heap.alloc(textLength + 4);
    this.length = textLength;
    this.number = this.start + textLength;
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.start);
    store<u32>(this.number, 0);
  }

  free(): void {
    heap.free(this.start);
  }

  /** Makes this the key of a number. */
  @inline
  select(number: u32): void {
    store<u32>(this.number, number);
    this.length = <i32>(this.number - this.start) + 4;
  }
}
