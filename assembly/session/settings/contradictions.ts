/**
 * Contradictions between the settings that the filters of one cache give: the text that refuses a filter, and the line that
 * warns of filters in force. Filters that are updated one after the other differ for a while; that is neither refused nor
 * reported.
 */
import { ENFORCEMENT, settingName, SETTINGS, UNSET, valueText } from "./given_settings";
import { RegisteredFilters } from "./registered_filters";
import { Registration, Role, spoken, State } from "./registration";

/** Reports filters in force that contradict each other for longer than an update of all of them takes. */
export class ConflictReport {
  private reported: string = "";
  private suspected: string = "";
  private suspectedAt: u32 = 0;

  /**
   * Returns a line for the log; empty if there is no conflict, or it was reported before. To be called about once a second.
   */
  next(filters: RegisteredFilters, now: u32): string {
    const found = conflict(filters);
    if (found != this.suspected) {
      this.suspected = found;
      this.suspectedAt = now;
    }
    if (found.length == 0) this.reported = "";
    if (found == this.reported || now - this.suspectedAt < UPDATE_SECONDS) return "";
    this.reported = found;
    return found;
  }
}

/** Returns why a filter, `own`, cannot be registered beside the others; empty if it can. */
export function contradictionOf(filters: RegisteredFilters, own: Registration, name: string, role: u32): string {
  for (let place: u32 = 0; place < filters.places; place++) {
    const other = filters.registered(place);
    if (other.identity == 0 || other.state == State.SUPERSEDED) continue;
    for (let setting = 0; setting < SETTINGS; setting++) {
      const value = own.given(setting);
      if (!contradict(setting, other, value, role == Role.ADMIN)) continue;
      const given = valueText(setting, value);
      return refusal(
        filters.cacheName,
        settingName(setting),
        given,
        valueText(setting, other.given(setting)),
        name,
        other,
      );
    }
  }
  return "";
}

/** Returns why a bound on memory is refused: another filter gives a different one, or the cache was made with one before. */
export function memoryRefusalOf(
  filters: RegisteredFilters,
  identity: u64,
  name: string,
  given: u32,
  current: u32,
): string {
  for (let place: u32 = 0; place < filters.places; place++) {
    const other = filters.registered(place);
    if (other.identity == 0 || other.maxMemoryMib == UNSET || other.identity == identity) continue;
    const text = other.maxMemoryMib.toString();
    return refusal(filters.cacheName, "max_memory_mib", given.toString(), text, name, other);
  }
  return (
    'cache "' +
    filters.cacheName +
    '": max_memory_mib is ' +
    given.toString() +
    " here, but the cache was made with " +
    current.toString() +
    " and keeps that as long as it lives: start Envoy anew, or give another name in `cache`"
  );
}

function refusal(
  cacheName: string,
  setting: string,
  given: string,
  current: string,
  name: string,
  other: Registration,
): string {
  return (
    'cache "' +
    cacheName +
    '": ' +
    setting +
    " is " +
    given +
    " here and " +
    current +
    " in another filter of the same cache: give the same value in all, or in one only (here: " +
    spoken(name) +
    "; the other: " +
    spoken(other.name) +
    ", which counts until it has drained where it was taken out)"
  );
}

/** The first conflict between filters in force, as a line for the log; empty if there is none. */
function conflict(filters: RegisteredFilters): string {
  for (let place: u32 = 0; place < filters.places; place++) {
    const one = filters.registered(place);
    if (!one.counts) continue;
    for (let behind = place + 1; behind < filters.places; behind++) {
      const other = filters.registered(behind);
      if (!other.counts) continue;
      for (let setting = 0; setting < SETTINGS; setting++) {
        if (!contradict(setting, one, other.given(setting), other.is(Role.ADMIN))) continue;
        return (
          conflictText(filters.cacheName, setting, one, other) +
          valueText(setting, filters.configured(setting)) +
          " holds, the stricter; give the same value in all, or in one only"
        );
      }
    }
  }
  return "";
}

/** Whether the value that a filter gives contradicts the value of another. */
function contradict(setting: i32, one: Registration, value: u32, byAdmin: bool): bool {
  const given = one.given(setting);
  if (given == UNSET || value == UNSET || given == value) return false;
  // An observer's or guard's enforcement is its own.
  return setting != ENFORCEMENT || (byAdmin && one.is(Role.ADMIN));
}

function conflictText(cacheName: string, setting: i32, one: Registration, other: Registration): string {
  return (
    'cache "' +
    cacheName +
    '": ' +
    settingName(setting) +
    " is " +
    valueText(setting, one.given(setting)) +
    " in " +
    spoken(one.name) +
    " and " +
    valueText(setting, other.given(setting)) +
    " in " +
    spoken(other.name) +
    ": "
  );
}

/** An update of many filters may take so long. */
const UPDATE_SECONDS: u32 = 2;
