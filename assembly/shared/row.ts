/**
 * A named row of a table (`table.ts`): a ticket key, a revoked server name, an issuer.
 *
 * Layout, little-endian:
 *   0   u16  size     2  u8  length of the name     3  u8  length of the upstream     4  u8  state
 *   5   u8   zero     6  u16  run
 *   8   u64  time (Unix seconds)     16  u64  last used (Unix seconds, 0 = never)     24  u64  version
 *   32  u32  count    36  u32  witness     40  name, upstream
 * `revocations.ts` and `issuers.ts` give state, last used and count meanings of their own; run and witness belong to the
 * name of a ticket key (`ticket_keys.ts`).
 */
@unmanaged
export class Row {
  size: u16;
  nameLength: u8;
  upstreamLength: u8;
  state: u8;
  private zero: u8;
  run: u16;
  time: u64;
  lastUsed: u64;
  version: u64;
  count: u32;
  witness: u32;

  /** The address of the name. */
  @inline
  get name(): usize {
    return changetype<usize>(this) + ROW_FIXED_SIZE;
  }

  /** The address of the upstream. */
  @inline
  get upstream(): usize {
    return this.name + <usize>this.nameLength;
  }
}

/** Bytes of a row before its name. */
export const ROW_FIXED_SIZE: i32 = 40;
