/** Limits of all sizes that a peer controls, with their reasons. Units: bytes, unless the name says otherwise. */

/** RFC 8446 5.1, RFC 5246 6.2.1: a fragment in clear holds at most 2^14 bytes. */
export const MAX_CLEAR_RECORD_LENGTH: i32 = 16384;

/** RFC 5246 6.2.3: sealing may add 2048 bytes; TLS 1.3 allows only 256, which is not worth a second limit to an observer. */
export const MAX_SEALED_RECORD_LENGTH: i32 = 16384 + 2048;

/** RFC 5246 7.4.1.2, RFC 8446 4.1.2: SessionID and legacy_session_id hold 0 to 32 bytes. */
export const MAX_SESSION_ID_LENGTH: i32 = 32;

/** RFC 1035 2.3.4: a DNS name takes at most 255 bytes; the admin API promises the same. */
export const MAX_SNI_LENGTH: i32 = 255;

/**
 * PSK identities that are hashed for each hello. Clients offer one or two. A later one is counted, and its acceptance cannot
 * be followed: so hashing is bounded, and nobody hides an identity behind others.
 */
export const MAX_PSK_IDENTITIES: i32 = 4;

/**
 * Further handles that one hello may offer: a second ticket, and a ticket or identity without the bytes behind it
 * (`identity_reader.ts`). No client of good faith offers more; if one does, the acceptance cannot be followed.
 */
export const MAX_FURTHER_IDENTITIES: i32 = 4;

/** RFC 5077 4 recommends that a ticket begins with a key name of this length. */
export const TICKET_KEY_LENGTH: i32 = 16;

/**
 * Client records that may pass after a ServerHello while early data may still be among them and none has the exact length of
 * a Finished. Servers take 16 KiB of early data by default, a few records; after this many the handshake is surely over.
 */
export const MAX_EARLY_DATA_RECORDS: i32 = 64;

/** All live handshakes of one VM together: about 45,000 at a time. Of any more, only the servers' answers are read. */
export const MAX_LIVE_MEMORY: i32 = 64 * 1024 * 1024;

/** Handshakes of which only the answer is read, and answers that are held back. Beyond, connections are closed. */
export const MAX_RESERVE_MEMORY: i32 = 32 * 1024 * 1024;
