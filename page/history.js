/**
 * The counters of GET /v1/stats over time, as this tab has seen them, for at most HISTORY_SECONDS. A rate at any moment comes from
 * the counters on both sides of it, so samples need not be regular.
 */

export const KIND_NAMES = ["id", "ticket", "psk"];
const HISTORY_SECONDS = 3 * 3_600;
/** A rate over less says little. */
const SHORTEST_SECONDS = 1;
const samples = [];

/** Adds the counters of a moment in seconds. A counter that falls is of another process: the history begins again. */
export function record(seconds, stats) {
  const counters = countersOf(stats);
  const last = samples.at(-1);
  if (last !== undefined && counters.some((value, index) => value < last.counters[index])) samples.length = 0;
  samples.push({ seconds, counters });
  while (samples[0].seconds < seconds - HISTORY_SECONDS) samples.shift();
}

export function forget() {
  samples.length = 0;
}

/** The growth of the counters in each of `slots` parts of the last `span` seconds; null if nothing is known of a part. */
export function growth(span, slots) {
  const end = samples.at(-1)?.seconds ?? 0;
  return Array.from({ length: slots }, (_, slot) => {
    const seconds = end - (span * (slots - 1 - slot)) / slots;
    // The first part begins with the first sample.
    const from = Math.max(seconds - span / slots, samples[0]?.seconds ?? end);
    const width = seconds - from;
    const grown = width >= SHORTEST_SECONDS && differences(countersAt(from), countersAt(seconds));
    return { seconds, width, counters: grown ? named(grown) : null };
  });
}

/** The growth over the last `span` seconds, or since the first sample; with the seconds that it took. */
export function growthOver(span) {
  const last = samples.at(-1);
  if (samples.length < 2) return null;
  const from = Math.max(samples[0].seconds, last.seconds - span);
  return { seconds: last.seconds - from, counters: named(differences(countersAt(from), last.counters)) };
}

/** Between two samples, the part of the way. There are at least two, and `seconds` is not before the first. */
function countersAt(seconds) {
  let low = 0;
  let high = samples.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (samples[middle].seconds <= seconds) low = middle;
    else high = middle;
  }
  const [before, after] = [samples[low], samples[high]];
  const part = (seconds - before.seconds) / (after.seconds - before.seconds || 1);
  return before.counters.map((value, index) => value + (after.counters[index] - value) * part);
}

function differences(before, after) {
  return after.map((value, index) => value - before[index]);
}

const FATES = ["offered", "accepted", "declined", "lost", "refused", "diverted", "failed"];

function countersOf(stats) {
  return [
    sum(stats.full),
    sum(stats.resumed),
    stats.cache_full,
    ...FATES.flatMap((fate) => KIND_NAMES.map((kind) => stats[`resumptions_${fate}`][kind])),
  ];
}

function named([full, resumed, evicted, ...fates]) {
  const byFate = {};
  FATES.forEach((fate, index) => (byFate[fate] = fates.slice(index * 3, index * 3 + 3)));
  return { full, resumed, evicted, ...byFate };
}

export function sum(counts) {
  return Object.values(counts).reduce((total, value) => total + value, 0);
}
