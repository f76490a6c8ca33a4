/**
 * Reasons why bytes cannot be followed as TLS, one name for each.
 *
 * The values are contiguous from 0, so that `PARSE_ERRORS` counters can be an array; the names are snake_case and usable as
 * a metric label. Append only: a name that was once exported as a label keeps its meaning.
 */
export const enum ParseError {
  None = 0,
  RecordType = 1,
  RecordVersion = 2,
  RecordEmpty = 3,
  RecordTooLong = 4,
  AlertLength = 5,
  ChangeCipherSpec = 6,
  UnexpectedRecord = 7,
  UnexpectedMessage = 8,
  InterleavedMessage = 9,
  HelloTooLong = 10,
  ReassemblyFull = 11,
  ClientHelloTruncated = 12,
  ClientHelloTrailing = 13,
  ServerHelloTruncated = 14,
  ServerHelloTrailing = 15,
  SessionIdTooLong = 16,
  CipherSuites = 17,
  CompressionMethods = 18,
  DuplicateExtension = 19,
  ServerName = 20,
  SupportedVersions = 21,
  PreSharedKey = 22,
  PreSharedKeyNotLast = 23,
  EarlyData = 24,
  ServerVersion = 25,
  SelectedIdentity = 26,
  NewSessionTicket = 27,
}

/** How many values there are, None included. */
export const PARSE_ERRORS: i32 = 28;

export function parseErrorName(error: ParseError): string {
  switch (error) {
    case ParseError.RecordType:
      return "record_type";
    case ParseError.RecordVersion:
      return "record_version";
    case ParseError.RecordEmpty:
      return "record_empty";
    case ParseError.RecordTooLong:
      return "record_too_long";
    case ParseError.AlertLength:
      return "alert_length";
    case ParseError.ChangeCipherSpec:
      return "change_cipher_spec";
    case ParseError.UnexpectedRecord:
      return "unexpected_record";
    case ParseError.UnexpectedMessage:
      return "unexpected_message";
    case ParseError.InterleavedMessage:
      return "interleaved_message";
    case ParseError.HelloTooLong:
      return "hello_too_long";
    case ParseError.ReassemblyFull:
      return "reassembly_full";
    case ParseError.ClientHelloTruncated:
      return "client_hello_truncated";
    case ParseError.ClientHelloTrailing:
      return "client_hello_trailing";
    case ParseError.ServerHelloTruncated:
      return "server_hello_truncated";
    case ParseError.ServerHelloTrailing:
      return "server_hello_trailing";
    case ParseError.SessionIdTooLong:
      return "session_id_too_long";
    case ParseError.CipherSuites:
      return "cipher_suites";
    case ParseError.CompressionMethods:
      return "compression_methods";
    case ParseError.DuplicateExtension:
      return "duplicate_extension";
    case ParseError.ServerName:
      return "server_name";
    case ParseError.SupportedVersions:
      return "supported_versions";
    case ParseError.PreSharedKey:
      return "pre_shared_key";
    case ParseError.PreSharedKeyNotLast:
      return "pre_shared_key_not_last";
    case ParseError.EarlyData:
      return "early_data";
    case ParseError.ServerVersion:
      return "server_version";
    case ParseError.SelectedIdentity:
      return "selected_identity";
    case ParseError.NewSessionTicket:
      return "new_session_ticket";
    default:
      return "none";
  }
}
