/**
 * One filter that was configured, as it stands in the shared store: who it is, what its configuration gives, and whether that is in
 * force. A configuration with another text is another filter here: the host keeps both while the older one's listener drains.
 *
 * Layout, little-endian, SIZE bytes:
 *   0   u64 identity: of name and text; 0 = the place is free        8   u64 family: of the name alone
 *   16  u64 number of when it came into force last; the greatest is the latest
 *   24  u32 state, see `State`     28  u32 flags     32  u64 in force since (Unix seconds)
 *   40  6 x u32 value given (UNSET: none)     64  u32 max_memory_mib given (UNSET: none)
 *   68  u32 when it was configured, claimed, or had a new connection last (seconds)
 *   72  u32 claims since its family was configured last      76  u32 when it claimed last
 *   80  u8 length, then the name "NAME/ROLE"      192  u8 length, then the module's version
 */
import { givenValue, GivenSettings, SETTINGS, UNSET } from "./given_settings";

export namespace State {
  /** It was configured, but no tick has come yet: the host may only be trying the configuration. */
  export const PENDING: u32 = 0;
  export const IN_FORCE: u32 = 1;
  /** Another of its family was configured later, and it has had no new connection since: its listener drains. */
  export const SUPERSEDED: u32 = 2;
}

/** Flags. The filter stands in a chain of the wrong kind: nothing that it is made for ever gets there. */
export const MISPLACED: u32 = 1;

/** What a filter is, among its flags. Any other name is none of them. */
export namespace Role {
  export const OBSERVER: u32 = 0x10;
  export const GUARD: u32 = 0x20;
  export const ADMIN: u32 = 0x40;
}


@unmanaged
export class Registration {
  identity: u64;
  family: u64;
  sequence: u64;
  state: u32;
  flags: u32;
  since: u64;


  @inline
  get start(): usize {
    return changetype<usize>(this);
  }

  given(setting: i32): u32 {
    return load<u32>(this.start + GIVEN_OFFSET + ((<usize>setting) << 2));
  }

  give(given: GivenSettings): void {
    for (let setting = 0; setting < SETTINGS; setting++) {
      store<u32>(this.start + GIVEN_OFFSET + ((<usize>setting) << 2), givenValue(given, setting));
    }
    store<u32>(this.start, given.maxMemoryMib < 0 ? UNSET : <u32>given.maxMemoryMib, MEMORY_OFFSET);
  }

  get maxMemoryMib(): u32 {
    return load<u32>(this.start, MEMORY_OFFSET);
  }

  get seen(): u32 {
    return load<u32>(this.start, SEEN_OFFSET);
  }

  set seen(seconds: u32) {
    store<u32>(this.start, seconds, SEEN_OFFSET);
  }

  get claims(): u32 {
    return load<u32>(this.start, CLAIMS_OFFSET);
  }

  set claims(count: u32) {
    store<u32>(this.start, count, CLAIMS_OFFSET);
  }

  get claimedAt(): u32 {
    return load<u32>(this.start, CLAIMED_OFFSET);
  }

  set claimedAt(seconds: u32) {
    store<u32>(this.start, seconds, CLAIMED_OFFSET);
  }

  /** "NAME/ROLE", cut where it is too long. */
  get name(): string {
    return this.text(NAME_OFFSET, NAME_CAPACITY);
  }

  set name(text: string) {
    this.setText(NAME_OFFSET, NAME_CAPACITY, text);
  }

  /** The module's version. */
  get version(): string {
    return this.text(VERSION_OFFSET, VERSION_CAPACITY);
  }

  set version(text: string) {
    this.setText(VERSION_OFFSET, VERSION_CAPACITY, text);
  }


  @inline
  is(role: u32): bool {
    return (this.flags & role) != 0;
  }

  /** Whether what it gives counts. */
  get counts(): bool {
    return this.identity != 0 && this.state == State.IN_FORCE;
  }

  private text(offset: i32, capacity: i32): string {
    const at = this.start + <usize>offset;
    return String.UTF8.decodeUnsafe(at + 1, min(<i32>load<u8>(at), capacity));
  }

  private setText(offset: i32, capacity: i32, text: string): void {
    // The end is what tells filters apart: the role.
    let kept = text;
    while (String.UTF8.byteLength(kept) > capacity) kept = kept.substring(1);
    const at = this.start + <usize>offset;
    store<u8>(at, <u8>String.UTF8.byteLength(kept));
    String.UTF8.encodeUnsafe(changetype<usize>(kept), kept.length, at + 1);
  }
}

/** Behind the last slash of "NAME/ROLE". */
export function roleText(name: string): string {
  return name.substring(name.lastIndexOf("/") + 1);
}

export function roleOf(name: string): u32 {
  const role = roleText(name);
  if (role == "observer") return Role.OBSERVER;
  if (role == "guard") return Role.GUARD;
  return role == "admin" ? Role.ADMIN : 0;
}

/** A filter as people are told of it: `observer "tls_session_observer"`. */
export function spoken(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? name : name.substring(slash + 1) + ' "' + name.substring(0, slash) + '"';
}

export const REGISTRATION_SIZE: usize = 256;
const GIVEN_OFFSET: usize = 40;
const MEMORY_OFFSET: usize = 64;
const SEEN_OFFSET: usize = 68;
const CLAIMS_OFFSET: usize = 72;
const CLAIMED_OFFSET: usize = 76;
const NAME_OFFSET: i32 = 80;
const NAME_CAPACITY: i32 = 111;
const VERSION_OFFSET: i32 = 192;
const VERSION_CAPACITY: i32 = 63;
