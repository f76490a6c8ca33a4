/**
 * Names of protocols and kinds, as the API, metrics and configurations spell them. Protocols have OpenSSL's names
 * (SSL_get_version(3)).
 */

/** The version on the wire of the first name of PROTOCOL_NAMES; each further name is one version further. */
export const FIRST_PROTOCOL: u16 = 0x0300;
export const PROTOCOL_NAMES: StaticArray<string> = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
/** By `Kind`, from ID on. */
export const KIND_NAMES: StaticArray<string> = ["id", "ticket", "psk"];
