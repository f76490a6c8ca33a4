/**
 * The session of the current connection, as a listener that terminates TLS shows it in properties: its ID, and once it is
 * asked for, its protocol and server name. One at a time; allocates nothing.
 */
import { decodeHex } from "../../bytes/hex";
import { PropertyPath } from "../../host/properties";
import { Kind, Known, MAX_ID_LENGTH, MAX_SNI_LENGTH, Session } from "../../session/record/session";
import { protocolOf } from "../connection/protocol_words";

export class ShownSession {
  idLength: i32 = 0;
  private readonly session: Session = new Session();

  get id(): usize {
    return ID;
  }

  /** Reads the ID; false if there is none, or it is not hex. */
  readId(): bool {
    const length = FILTER_STATE.read(ID_HEX, ID_HEX_CAPACITY);
    this.idLength = length <= 0 ? 0 : decodeHex(ID_HEX, length, ID);
    return this.idLength > 0;
  }

  /** Reads the protocol: its number on the wire, 0 if there is none. */
  readProtocol(): u16 {
    return protocolOf(PROTOCOL, TLS_VERSION.read(PROTOCOL, PROTOCOL_CAPACITY));
  }

  /** Reads the rest. Returns a record of all that is shown; valid until the next call. */
  describe(): Session {
    const session = this.session;
    session.clear();
    session.id = ID;
    session.idLength = this.idLength;
    session.kind = Kind.ID;
    session.known = Known.KIND;
    const protocol = this.readProtocol();
    if (protocol != 0) {
      session.protocol = protocol;
      session.known |= Known.PROTOCOL;
    }
    const sniLength = SERVER_NAME.read(SNI, MAX_SNI_LENGTH);
    if (sniLength > 0) {
      session.sni = SNI;
      session.sniLength = sniLength;
      session.known |= Known.SNI;
    }
    return session;
  }
}

const FILTER_STATE = new PropertyPath("filter_state.tls_sid");
const ID_HEX_CAPACITY: i32 = MAX_ID_LENGTH * 2;
const ID_HEX: usize = memory.data(ID_HEX_CAPACITY);
const ID: usize = memory.data(MAX_ID_LENGTH);
const SERVER_NAME = new PropertyPath("connection.requested_server_name");
const SNI: usize = memory.data(MAX_SNI_LENGTH);
const TLS_VERSION = new PropertyPath("connection.tls_version");
const PROTOCOL_CAPACITY: i32 = 8;
const PROTOCOL: usize = memory.data(PROTOCOL_CAPACITY);
