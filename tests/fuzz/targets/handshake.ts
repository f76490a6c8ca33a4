/**
 * Whole connections through the observer: captured and built handshakes, damaged, cut and reordered.
 *
 * Promises: nothing traps. Both sides get exactly the bytes that the other sent, unless a removed session is offered: then
 * the client gets a beginning of the server's answer and an alert. Sessions and refusals that no handshake names stay as
 * they are. Memory stays bounded. A handshake afterwards is learned.
 */
import { captures } from "../../support/captures.ts";
import type { Connection, Flight } from "../../fake_host/fake_host.ts";
import type { Proxy } from "../../fake_host/proxy.ts";
import {
  declinedTicket,
  fullWithId,
  fullWithTicket,
  resumedById,
  resumedByTicket,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";
import { hold, type Input, type Session, type Target } from "../input.ts";
import { Bystanders, openProxy } from "./bystanders.ts";

const FROM_CLIENT = 0;
const FROM_SERVER = 1;
const CLIENT_ENDS = 2;
const SERVER_ENDS = 3;
const TIME_PASSES = 4;

export const handshake: Target = {
  name: "handshake",
  kinds: 5,
  variants: 3,
  maxStepLength: 20_000,
  dictionary: [
    "160301",
    "160303",
    "140303000101",
    "1503030002022",
    "1503030002012a",
    "170303",
    "0100",
    "0200",
    "0023",
    "0029",
    "0029000200",
    "002b0003020304",
    "002b00020304",
    "0000000e000c000009",
    "fe0d",
    "cf21ad74e59a6111be1d8c021e65b891",
    "04000000",
    "14",
    "0e000000",
  ].map((text) => Buffer.from(text.length % 2 === 0 ? text : `${text}8`, "hex")),

  seeds(): Input[] {
    const removed = [
      resumedById(REMOVED_ID),
      resumedByTicket(REMOVED_TICKET),
      tls13([REMOVED_TICKET], { selected: 0 }),
    ];
    const early = [tls13([REMOVED_TICKET], { selected: 0, earlyData: true })];
    const built = [
      fullWithId(sessionId(1), { sni: "shop.example" }),
      resumedById(sessionId(1)),
      fullWithTicket(ticket("fuzz", 1)),
      resumedByTicket(ticket("fuzz", 1)),
      resumedByTicket(ticket("fuzz", 1), { renewed: ticket("fuzz", 2) }),
      declinedTicket(ticket("fuzz", 3), sessionId(3)),
      tls13([]),
      tls13([ticket("fuzz", 1), ticket("fuzz", 4)], { selected: 1, sni: "shop.example" }),
    ];
    return [...CAPTURED.map(({ flights }) => flights), ...built, ...removed, ...early].map(inputOf);
  },

  open(wasm, variant): Session {
    return new HandshakeSession(openProxy(wasm, VARIANTS[variant] ?? {}), VARIANTS[variant]?.steering === "hash");
  },
};

class HandshakeSession implements Session {
  readonly memories: WebAssembly.Memory[];
  private readonly bystanders: Bystanders;
  private counted = 0;

  constructor(
    private readonly proxy: Proxy,
    private readonly mayHoldBack: boolean,
  ) {
    proxy.delete(REMOVED_ID);
    proxy.delete(REMOVED_TICKET_ID);
    this.bystanders = new Bystanders(proxy);
    this.memories = [proxy.worker.memory("observer")];
  }

  run(input: Input): void {
    const connection = this.proxy.worker.connection({ upstream: UPSTREAM });
    const client: Buffer[] = [];
    const server: Buffer[] = [];
    for (const { kind, bytes } of input) {
      if (connection.closed) break;
      if (kind === TIME_PASSES) {
        this.proxy.host.pass((bytes[0] ?? 0) / 64);
      } else if (kind === FROM_CLIENT || kind === CLIENT_ENDS) {
        client.push(bytes);
        connection.fromClient(bytes, kind === CLIENT_ENDS);
      } else if (kind === FROM_SERVER || kind === SERVER_ENDS) {
        server.push(bytes);
        connection.fromServer(bytes, kind === SERVER_ENDS);
      }
    }
    const wasClosed = connection.closed;
    connection.close();
    this.compare(connection, Buffer.concat(client), Buffer.concat(server), wasClosed);
  }

  private compare(connection: Connection, client: Buffer, server: Buffer, wasClosed: boolean): void {
    const toServer = Buffer.concat(connection.toServer);
    const toClient = Buffer.concat(connection.toClient);
    if (!wasClosed && toClient.equals(server) && toServer.equals(client)) return;
    const heldFromServer = this.mayHoldBack && toServer.equals(client.subarray(0, toServer.length));
    // The answer to a possible resumption waits until it shows whether it is one.
    const heldFromClient =
      !wasClosed &&
      toClient.equals(server.subarray(0, toClient.length)) &&
      server.length - toClient.length <= MAX_HELD_BYTES;
    if ((heldFromServer || toServer.equals(client)) && (heldFromClient || toClient.equals(server))) return;
    // The filter refuses resumptions of removed sessions, and those of connections that it cannot follow.
    hold(
      MARKS.some((mark) => client.includes(mark)) || this.hasCountedReason(),
      () =>
        `bytes were changed, or the connection closed: ${toClient.length} of ${server.length} reached the client, ` +
        `${toServer.length} of ${client.length} the server`,
    );
    const passed = commonLength(toClient, server);
    const rest = toClient.subarray(passed);
    hold(
      rest.length === 0 || isEndOfAlert(toClient),
      () => `the client got bytes that the server did not send: ${rest.toString("hex")}`,
    );
    hold(toServer.length <= client.length, () => "the server got more than the client sent");
  }

  /** Whether the filter has counted, since the last call, a client that it could not follow, or an action because of one. */
  private hasCountedReason(): boolean {
    const { unfollowed, renegotiations, early_data_dropped, unwatched } = this.proxy.request("GET", "/v1/stats")
      .json as Record<string, number>;
    const counted = [unfollowed, renegotiations, early_data_dropped, unwatched].reduce<number>(
      (a, b) => a + (b ?? 0),
      0,
    );
    const before = this.counted;
    this.counted = counted;
    return counted > before;
  }

  check(): void {
    this.bystanders.check();
  }
}

function inputOf(flights: Flight[]): Input {
  return flights.map(({ from, bytes }) => ({
    kind: from === "client" ? FROM_CLIENT : FROM_SERVER,
    bytes: Buffer.from(bytes),
  }));
}

function commonLength(one: Buffer, other: Buffer): number {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length++;
  return length;
}

/** Looks at the end: the alert begins with the same bytes as a server's answer. */
function isEndOfAlert(bytes: Buffer): boolean {
  const alert = bytes.subarray(-7);
  return alert.length === 7 && alert[0] === 0x15 && alert[1] === 3 && alert.readUInt16BE(3) === 2 && alert[5] === 2;
}

const CAPTURED = await captures();
const UPSTREAM = "10.0.0.7:443";
/** A connection holds back no more (MAX_HELD of assembly/filters/connection/observed_connection.ts). */
const MAX_HELD_BYTES = 20480;
const VARIANTS: Record<string, unknown>[] = [
  {},
  { steering: "hash", access_log: true },
  { mode: ["SERVER", "UPDATE_TIME"], access_log: true, max_memory_mib: 1 },
];
const REMOVED_ID = sessionId(999);
const REMOVED_TICKET = ticket("fuzz", 999);
const REMOVED_TICKET_ID = sha256(REMOVED_TICKET);
/** Without one of these in the client's bytes, the filter has no session to refuse. */
const MARKS = [REMOVED_ID.subarray(0, 8), REMOVED_TICKET.subarray(16, 24), REMOVED_TICKET_ID.subarray(0, 8)];
