/**
 * Sessions with plain tickets (`tools/demo/plain_ticket.ts`), for tests in which the acceptance of a ticket or PSK that the cache does
 * not hold must count.
 */

/** Takes sessions until the ticket of one is plain. */
export async function untilPlain<T>(take: () => Promise<T>, isPlain: (taken: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const taken = await take();
    if (isPlain(taken)) return taken;
  }
  throw new Error(`none of ${MAX_ATTEMPTS} tickets was plain`);
}

/** So many that chance never decides: 1 in 400 to this power. */
const MAX_ATTEMPTS = 30;
