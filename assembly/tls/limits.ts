/** Every size that a peer controls, and why its limit is what it is. Units: bytes, unless the name says otherwise. */

/** RFC 8446 5.1, RFC 5246 6.2.1: a fragment in clear holds at most 2^14 bytes. */
export const CLEAR_RECORD_MAX: i32 = 16384;

/** RFC 5246 6.2.3: sealing may add 2048 bytes; TLS 1.3 allows only 256, which is not worth a second limit to an observer. */
export const SEALED_RECORD_MAX: i32 = 16384 + 2048;

/**
 * The longest ClientHello that can be written at all (RFC 8446 4.1.2, with 65,534 bytes of cipher suites and 65,535 of extensions);
 * OpenSSL takes as much (`CLIENT_HELLO_MAX_LENGTH`). A lower bound would let the holder of a removed session get around its refusal
 * with a longer hello. Post-quantum hellos take about 1.7 kB.
 */
export const CLIENT_HELLO_MAX: i32 = 131396;

/** The longest ServerHello that is looked at: one full record. */
export const SERVER_HELLO_MAX: i32 = 16384;

/** RFC 5246 7.4.1.2, RFC 8446 4.1.2: SessionID and legacy_session_id hold 0 to 32 bytes. */
export const SESSION_ID_MAX: i32 = 32;

/** RFC 1035 2.3.4: a DNS name takes at most 255 bytes; the admin API promises the same. */
export const SNI_MAX: i32 = 255;

/** PSK identities that are hashed for each hello. Clients offer one or two; the rest is counted only, so hashing stays bounded. */
export const PSK_IDENTITIES_MAX: i32 = 4;

/** RFC 5077 4 recommends that a ticket begins with a key name of this length. */
export const TICKET_KEY_SIZE: i32 = 16;

/**
 * Client records that are let pass after a ServerHello while early data may still be among them and none has the exact length of a
 * Finished. Servers take 16 KiB of early data by default, a few records; after this many the handshake is surely over.
 */
export const EARLY_DATA_RECORDS_MAX: i32 = 64;

/** What a hello that comes in pieces takes at first, if it is not shorter: most are. It grows as bytes come, not as they are announced. */
export const REASSEMBLY_FIRST: i32 = 4096;

/** All live handshakes of one VM together, blocks and reassembly buffers: about 65,000 handshakes at the same time. */
export const LIVE_MEMORY_MAX: i32 = 64 * 1024 * 1024;

/**
 * The share of `LIVE_MEMORY_MAX` that reassembly may take, so that clients that announce long hellos and never send them
 * leave room to watch those that send theirs in one piece.
 */
export const REASSEMBLY_MEMORY_MAX: i32 = 32 * 1024 * 1024;
