/**
 * Evidence of the upstream that a ticket key belongs to, as the row of its name keeps it.
 *
 * A name that comes from a second upstream is shared at once. It is learned again if all evidence of all machines has come
 * from one upstream for HEALS_SECONDS, at least HEALS_RUN pieces of it: the others have another key by now, or are gone.
 * That upstream need not be the first one. Each piece of contrary evidence begins the run again, or makes the name shared
 * again.
 *
 * For that, the row of a shared name has `witness`, the hash of the upstream that all evidence has come from since `time`,
 * or SEVERAL; and `run`, the number of pieces. Machines add their evidence when they write their counts.
 */
import { Row } from "../../shared/row";
import { KeyState } from "./key_state";
import { SEVERAL, upstreamHash } from "./seen_key";

/**
 * Adds pieces of evidence to a row, all of one upstream by its hash, or of SEVERAL. Returns whether the name has become a
 * shared one; the row then needs a new version.
 */
export function weigh(row: Row, witness: u32, pieces: u32, now: u64): bool {
  const contradicts = row.state == KeyState.LEARNED && witness != upstreamHash(row.upstream, row.upstreamLength);
  if (contradicts) {
    row.state = KeyState.SHARED;
    row.witness = 0;
  }
  if (row.state != KeyState.SHARED) return false;
  // If the clock was set back, the time begins again.
  if (row.witness != witness || now < row.time) {
    row.witness = witness;
    row.run = 0;
    row.time = now;
  }
  row.run = <u16>min(<u32>row.run + pieces, <u32>u16.MAX_VALUE);
  return contradicts;
}

/** Whether the evidence of a shared name has come from one upstream for so long that the name belongs to it. */
export function heals(row: Row, now: u64): bool {
  if (row.state != KeyState.SHARED || row.witness == SEVERAL || row.run < HEALS_RUN) return false;
  return now >= row.time + HEALS_SECONDS;
}

/**
 * Servers that share a key and are balanced over at random look like one for so many pieces of evidence once in 2^31 runs.
 */
const HEALS_RUN: u16 = 32;
const HEALS_SECONDS: u64 = 60;
