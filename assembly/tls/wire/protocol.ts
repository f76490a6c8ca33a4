/** The code points of TLS that the observer knows. Whatever is not named here is passed over. */

/** RFC 8446 5.1, RFC 5246 6.2.1. */
export namespace ContentType {
  export const CHANGE_CIPHER_SPEC: i32 = 0x14;
  export const ALERT: i32 = 0x15;
  export const HANDSHAKE: i32 = 0x16;
  export const APPLICATION_DATA: i32 = 0x17;
  /** RFC 6520; no handshake has any, and some servers pass over it. */
  export const HEARTBEAT: i32 = 0x18;
}

/** RFC 8446 4, RFC 5246 7.4. */
export namespace MessageType {
  export const HELLO_REQUEST: i32 = 0x00;
  export const CLIENT_HELLO: i32 = 0x01;
  export const SERVER_HELLO: i32 = 0x02;
  export const NEW_SESSION_TICKET: i32 = 0x04;
  export const SERVER_HELLO_DONE: i32 = 0x0e;
}

/** RFC 8446 4.2; session_ticket is of RFC 5077 3.2, encrypted_client_hello of RFC 9849 5. */
export namespace ExtensionType {
  export const SERVER_NAME: i32 = 0x0000;
  export const SESSION_TICKET: i32 = 0x0023;
  export const PRE_SHARED_KEY: i32 = 0x0029;
  export const EARLY_DATA: i32 = 0x002a;
  export const SUPPORTED_VERSIONS: i32 = 0x002b;
  export const ENCRYPTED_CLIENT_HELLO: i32 = 0xfe0d;
}

export namespace Version {
  export const SSL30: u16 = 0x0300;
  export const TLS12: u16 = 0x0303;
  export const TLS13: u16 = 0x0304;
}

export namespace AlertLevel {
  export const WARNING: i32 = 0x01;
}

export namespace AlertDescription {
  export const CLOSE_NOTIFY: i32 = 0x00;
}

/** RFC 8446 B.4: the suites whose sealed Finished is not 53 bytes long. */
export namespace CipherSuite {
  export const TLS_AES_256_GCM_SHA384: i32 = 0x1302;
  export const TLS_AES_128_CCM_8_SHA256: i32 = 0x1305;
}

export const RANDOM_SIZE: i32 = 32;

/** RFC 8446 4.1.3: the random of a ServerHello that is a HelloRetryRequest: SHA-256("HelloRetryRequest"). */
// prettier-ignore
export const HELLO_RETRY_RANDOM: usize = memory.data<u8>([
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
]);
