/**
 * One configured filter in the shared store: its identity, the settings that its configuration gives, and whether they are
 * in force. A configuration with another text is another filter here, and so is the same text in another build of the
 * module: the host keeps both while the older one's listener drains.
 *
 * Layout, little-endian, SIZE bytes:
 *   0   u64 identity: of name, text and module; 0 = the place is free        8   u64 family: of the name alone
 *   16  u64 sequence number of when it came into force last; the greatest is the latest
 *   24  u32 state, see `State`     28  u32 flags     32  u64 in force since (Unix seconds)
 *   40  6 x u32 value given (UNSET: none)     64  u32 max_memory_mib given (UNSET: none)
 *   68  u32 when it was configured, claimed, or had a new connection last (seconds)
 *   72  u32 claims since its family was configured last      76  u32 when it claimed last
 *   80  u8 length, then the name "NAME/ROLE"      192  u8 length, then the module's version
 *   224 the module's build, 32 bytes; all zero if it has none, or if an earlier module wrote the place
 */
import { decodeHexText, encodeHex } from "../../bytes/hex";
import { givenValue, GivenSettings, SETTINGS, UNSET } from "./given_settings";

export namespace State {
  /** It is configured, but no tick has come yet: the host may only be trying the configuration. */
  export const PENDING: u32 = 0;
  export const IN_FORCE: u32 = 1;
  /** Another of its family was configured later, and it has had no new connection since: its listener drains. */
  export const SUPERSEDED: u32 = 2;
}

/** A flag: the filter stands in a chain of the wrong kind, to which its traffic never comes. */
export const MISPLACED: u32 = 1;
/** A flag: its configuration removes sessions, ticket keys or server names (`session/configured`). */
export const REMOVES: u32 = 2;

/** The role of a filter, among its flags. A filter of another name has none. */
export namespace Role {
  export const OBSERVER: u32 = 0x10;
  export const GUARD: u32 = 0x20;
  export const ADMIN: u32 = 0x40;
  export const FLEET: u32 = 0x80;
}

/** A place of REGISTRATION_SIZE bytes. */
@unmanaged
export class Registration {
  identity: u64;
  family: u64;
  sequence: u64;
  state: u32;
  flags: u32;
  since: u64;
  private mode: u32;
  private cacheSize: u32;
  private timeout: u32;
  private removed: u32;
  private enforcement: u32;
  private lifetime: u32;
  maxMemoryMib: u32;
  seen: u32;
  claims: u32;
  claimedAt: u32;

  /** The address of this. */
  @inline
  get start(): usize {
    return changetype<usize>(this);
  }

  /** The value that this gives to a setting, UNSET if none. */
  given(setting: i32): u32 {
    return load<u32>(this.start + GIVEN_OFFSET + ((<usize>setting) << 2));
  }

  /** Takes the settings of a configuration. */
  give(given: GivenSettings): void {
    for (let setting = 0; setting < SETTINGS; setting++) {
      store<u32>(this.start + GIVEN_OFFSET + ((<usize>setting) << 2), givenValue(given, setting));
    }
    this.maxMemoryMib = given.maxMemoryMib < 0 ? UNSET : <u32>given.maxMemoryMib;
  }

  /** "NAME/ROLE", without its beginning if it is too long. */
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

  /** The identity that it has in a module without a build. Filters of one name and one text share it, whatever runs them. */
  @inline
  get textIdentity(): u64 {
    return this.identity ^ this.buildMark;
  }

  /** Sets the identity; the build must be set before. */
  set textIdentity(identity: u64) {
    const own = identity ^ this.buildMark;
    this.identity = own == 0 ? 1 : own;
  }

  /** The module's build as 64 hex digits; empty if it has none. */
  get build(): string {
    const bytes = this.start + BUILD_OFFSET;
    if ((load<u64>(bytes) | load<u64>(bytes, 8) | load<u64>(bytes, 16) | load<u64>(bytes, 24)) == 0) return "";
    encodeHex(bytes, BUILD_SIZE, DIGITS);
    return String.UTF8.decodeUnsafe(DIGITS, 2 * BUILD_SIZE);
  }

  /** Takes 64 hex digits; any other text leaves the module without a build. */
  set build(digits: string) {
    const bytes = this.start + BUILD_OFFSET;
    if (decodeHexText(digits, bytes, BUILD_SIZE) != BUILD_SIZE) memory.fill(bytes, 0, BUILD_SIZE);
  }

  /** Whether a flag is set. */
  @inline
  is(flag: u32): bool {
    return (this.flags & flag) != 0;
  }

  /** Whether its settings count. */
  get counts(): bool {
    return this.identity != 0 && this.state == State.IN_FORCE;
  }

  /** 64 bits of the build; 0 if there is none. */
  @inline
  private get buildMark(): u64 {
    return load<u64>(this.start + BUILD_OFFSET);
  }

  private text(offset: i32, capacity: i32): string {
    const at = this.start + <usize>offset;
    return String.UTF8.decodeUnsafe(at + 1, min(<i32>load<u8>(at), capacity));
  }

  private setText(offset: i32, capacity: i32, text: string): void {
    // The end tells filters apart: the role.
    let kept = text;
    while (String.UTF8.byteLength(kept) > capacity) kept = kept.substring(1);
    const at = this.start + <usize>offset;
    store<u8>(at, <u8>String.UTF8.byteLength(kept));
    String.UTF8.encodeUnsafe(changetype<usize>(kept), kept.length, at + 1);
  }
}

/** The text behind the last slash of "NAME/ROLE". */
export function roleText(name: string): string {
  return name.substring(name.lastIndexOf("/") + 1);
}

export function roleOf(name: string): u32 {
  const role = roleText(name);
  if (role == "observer") return Role.OBSERVER;
  if (role == "guard") return Role.GUARD;
  if (role == "admin") return Role.ADMIN;
  return role == "fleet" ? Role.FLEET : 0;
}

/** A filter in texts for people: `observer "tls_session_observer"`. */
export function spoken(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? name : name.substring(slash + 1) + ' "' + name.substring(0, slash) + '"';
}

export const REGISTRATION_SIZE: usize = 256;
/** The values given lie in the order of the settings' numbers. */
const GIVEN_OFFSET: usize = 40;
const NAME_OFFSET: i32 = 80;
const NAME_CAPACITY: i32 = 111;
const VERSION_OFFSET: i32 = 192;
const VERSION_CAPACITY: i32 = 31;
const BUILD_OFFSET: usize = 224;
/** A SHA-256. */
const BUILD_SIZE: i32 = 32;
const DIGITS: usize = memory.data(64, 8);
