/**
 * The current instant of the virtual machine: one callback of the host in which bytes of a connection are handled. A page that
 * was read in an instant to judge a session need not be read again to change it: if another machine has changed it since,
 * storing it fails.
 */

/** Begins an instant. */
export function beginInstant(): void {
  count = count == u32.MAX_VALUE ? 1 : count + 1;
  instant = count;
}

/** Ends it. */
export function endInstant(): void {
  instant = 0;
}

/** Number of the current instant, another one each time; 0 outside of instants. */
export let instant: u32 = 0;
let count: u32 = 0;
