/**
 * The traffic of a soak: lanes that each go on until they are stopped. Clients that come again with what they have, of
 * every kind; full handshakes; one session that many connections resume at the same time; clients that leave halfway or vanish;
 * clients that are silent; bytes that are not TLS; HTTPS through the guard.
 *
 * What a client saw is counted here, to be compared with what the filter says. Nothing here throws: what must not be is noted in
 * `violations` and `errors`.
 */
import { constants } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { HttpsConnection } from "../support/https_client.ts";
import type { Stack } from "../support/stack.ts";
import { sessionOf } from "../../tools/demo/ssl_session.ts";
import { type TlsRequest, visit } from "../support/tls_client.ts";
import type { Random } from "../support/random.ts";
import { applicationData, clientHello } from "../support/tls_bytes.ts";
import { type Held, isInForce, type Refusals } from "./refusals.ts";

export const KINDS: Record<Held["kind"], Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
export const kinds = ["id", "ticket", "psk"] as const;

export class Crowd {
  /** Whole visits by what became of them, and connections that were not to be whole. */
  readonly seen = {
    full: 0,
    resumed: 0,
    refused: 0,
    aborted: 0,
    vanished: 0,
    notTls: 0,
    silent: 0,
    guarded: 0,
    early: 0,
  };
  /** Resumptions of what must not resume, hits that were lost. */
  readonly revokedResumptions: string[] = [];
  readonly lostUpdates: string[] = [];
  /** What happened to well-behaved clients that must not. */
  readonly errors: string[] = [];
  /** Raised when a flush begins and when it is over: who compares across one does not. */
  flushes = 0;
  private isStopping = false;
  private readonly lanes: Promise<void>[] = [];

  constructor(
    private readonly stack: Stack,
    /** Of a listener that does not steer: there, clients come to servers that do not know them, and to refusals. */
    private readonly plainPort: number,
    private readonly refusals: Refusals,
    private readonly random: Random,
    private readonly lifeSeconds: number,
  ) {}

  start(): void {
    for (const kind of kinds) {
      for (let lane = 0; lane < LANES_OF_A_KIND; lane++) {
        this.lane(this.coming(kind, `${kind}-${lane}.example`));
      }
    }
    for (let lane = 0; lane < 2; lane++) this.lane(this.comingNew());
    for (let lane = 0; lane < 2; lane++) this.lane(this.leaving());
    this.lane(this.vanishing());
    this.lane(this.speakingOtherwise());
    this.lane(this.beingSilent());
    this.lane(this.crowdingOneSession());
    this.lane(this.askingTheGuard());
  }

  /** Ends all lanes, each after what it is about. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.lanes);
  }

  get connections(): number {
    return Object.values(this.seen).reduce((sum, count) => sum + count, 0);
  }

  /**
   * One whole visit, with a session or without. Returns the session that the client then holds; null if it was refused or failed.
   * Notes a resumption that must not have been. Two of three go through the listener that steers, or all that must.
   */
  async visit(kind: Held["kind"], sni: string, held: Held | null, isSteered = false): Promise<Held | null> {
    const claims = held === null ? [] : this.refusals.against(held);
    try {
      const port = this.random.below(3) === 0 && !isSteered ? this.plainPort : this.stack.tlsPort;
      const request = { port, sni, ...KINDS[kind], timeoutSeconds: VISIT_SECONDS };
      const { id, resumed, session, ticketKey } = await visit({ ...request, session: held?.session });
      this.seen[resumed ? "resumed" : "full"] += 1;
      const broken = resumed ? claims.find(isInForce) : undefined;
      if (broken !== undefined) this.revokedResumptions.push(`${kind} ${held?.id}: ${broken.what} was removed`);
      // A session by ID is the same one after its resumption, and was issued when it was.
      const obtainedAt = resumed && held?.id === id ? held.obtainedAt : Date.now();
      return { session, id, kind, ticketKey, sni, obtainedAt };
    } catch (error) {
      if (/ALERT_HANDSHAKE_FAILURE/.test(String((error as NodeJS.ErrnoException).code)) && held !== null) {
        this.seen.refused++;
      } else {
        this.errors.push(`${kind} ${sni}: ${String(error)}`);
      }
      return null;
    }
  }

  private lane(lane: Promise<void>): void {
    this.lanes.push(lane.catch((error: unknown) => void this.errors.push(`a lane has ended: ${String(error)}`)));
  }

  /** A client that comes again; now and then its session is removed, and then offered on purpose. */
  private async coming(kind: Held["kind"], sni: string): Promise<void> {
    let held: Held | null = null;
    while (!this.isStopping) {
      const next: Held | null = await this.visit(kind, sni, held);
      const throwsAway = this.random.below(40) === 0;
      held = next === null || throwsAway ? null : next;
      if (held !== null && this.random.below(25) === 0) {
        await this.remove(held);
        for (let i = 0; i < 3 && !this.isStopping; i++) await this.visit(kind, sni, held);
        if (kind === "psk") await this.sendEarlyData(held);
        held = null;
      }
    }
  }

  private async remove({ id }: Held): Promise<void> {
    const { status } = await this.stack.admin("DELETE", `/v1/sessions/${id}`);
    // A change that could not be stored says so, and is not in force.
    if (status === 200 || status === 404) this.refusals.removed(id, this.lifeSeconds, "the session");
    else if (status !== 503) this.errors.push(`DELETE of a session was answered with ${status}`);
  }

  /** Early data behind a removed session. There is no binder for it here, so no server would take it up either. */
  private async sendEarlyData({ session, sni }: Held): Promise<void> {
    const { ticket } = sessionOf(session);
    if (ticket === null) return;
    this.seen.early++;
    const hello = clientHello({ sni, tls13: true, pskIdentities: [ticket], earlyData: true });
    await this.sendAndLeave(Buffer.concat([hello, applicationData(500)]), 20);
  }

  private async comingNew(): Promise<void> {
    for (let i = 0; !this.isStopping; i++) {
      await this.visit(kinds[this.random.below(3)] ?? "id", `new-${i % 500}.example`, null);
    }
  }

  /** Handshakes that end anywhere: in the middle of the hello, or of the handshake that a real client began. */
  private async leaving(): Promise<void> {
    while (!this.isStopping) {
      this.seen.aborted++;
      if (this.random.below(2) === 0) {
        const hello = clientHello({
          sni: "abort.example",
          tls13: this.random.below(2) === 0,
          sessionId: this.random.bytes(32),
        });
        await this.sendAndLeave(hello.subarray(0, 1 + this.random.below(hello.length)), this.random.below(5));
      } else {
        const version = this.random.below(2) === 0 ? "TLSv1.2" : "TLSv1.3";
        const socket = connectTls({
          host: "127.0.0.1",
          port: this.stack.tlsPort,
          rejectUnauthorized: false,
          maxVersion: version,
        });
        socket.on("error", () => undefined);
        await sleep(this.random.below(12));
        socket.destroy();
      }
      await sleep(10);
    }
  }

  /** Sockets that are reset, with whatever was under way. */
  private async vanishing(): Promise<void> {
    while (!this.isStopping) {
      this.seen.vanished++;
      const hello = clientHello({ sni: "vanish.example", tls13: true });
      const socket = await this.open();
      socket.write(hello.subarray(0, this.random.below(hello.length + 1)));
      await sleep(this.random.below(8));
      socket.resetAndDestroy();
      await sleep(10);
    }
  }

  private async speakingOtherwise(): Promise<void> {
    const texts = [
      Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
      Buffer.from("SSH-2.0-OpenSSH_9.9\r\n"),
      Buffer.alloc(3000),
    ];
    while (!this.isStopping) {
      this.seen.notTls++;
      const bytes =
        this.random.below(2) === 0 ? this.random.bytes(1 + this.random.below(600)) : this.random.pick(texts);
      await this.sendAndLeave(bytes, 5 + this.random.below(20));
      await sleep(20);
    }
  }

  /** Some connections at a time that say nothing, or begin and say no more, for seconds. */
  private async beingSilent(): Promise<void> {
    const hello = clientHello({ sni: "silent.example", tls13: true });
    while (!this.isStopping) {
      const open: Socket[] = [];
      for (let i = 0; i < SILENT; i++) {
        this.seen.silent++;
        const socket = await this.open();
        if (i % 2 === 0) socket.write(hello.subarray(0, 1 + this.random.below(hello.length)));
        open.push(socket);
      }
      for (let i = 0; i < 30 && !this.isStopping; i++) await sleep(100);
      for (const socket of open) socket.destroy();
    }
  }

  /** Eight at a time resume one session on all workers; each of them is a hit in one record. */
  private async crowdingOneSession(): Promise<void> {
    while (!this.isStopping) {
      const { flushes } = this;
      const sni = "one.example";
      const held = await this.visit("id", sni, null);
      if (held === null) continue;
      // By hand it lives long, so that it is not evicted meanwhile.
      await this.stack.admin("PUT", `/v1/sessions/${held.id}`, { body: { timeout: longLife(this.lifeSeconds) } });
      let resumed = 0;
      let others = 0;
      const comeSixTimes = async (): Promise<void> => {
        for (let i = 0; i < 6; i++) {
          if ((await this.visit("id", sni, held, true))?.id === held.id) resumed++;
          else others++;
        }
      };
      await Promise.all(Array.from({ length: 8 }, comeSixTimes));
      const { json, status } = await this.stack.admin("GET", `/v1/sessions/${held.id}`);
      if (flushes === this.flushes && (status !== 200 || json.hits !== resumed)) {
        const said = status === 200 ? `${String(json.hits)} hits` : `status ${status}`;
        this.lostUpdates.push(`one session: ${resumed} of ${resumed + others} resumed, the record says ${said}`);
      }
      await this.remove(held);
    }
  }

  /** HTTPS that Envoy itself terminates: the same session on several connections, then removed. */
  private async askingTheGuard(): Promise<void> {
    while (!this.isStopping) {
      let session: Buffer | undefined;
      let id = "";
      for (let i = 0; i < 5; i++) {
        const isRemoved = i === 4;
        if (isRemoved) await this.stack.admin("DELETE", `/v1/sessions/${id}`);
        const connection = await HttpsConnection.open({ port: this.stack.httpsPort, version: "TLSv1.2", session });
        const { status } = await connection.request();
        this.seen.guarded++;
        if (isRemoved && connection.resumed && status !== 421) {
          this.revokedResumptions.push(`a request on the removed session ${id} was answered with ${status}`);
        }
        if (i === 0 && status !== 200) {
          this.errors.push(`a request on a new session was answered with ${status}`);
        }
        session = connection.session;
        id = connection.identity.id;
        connection.close();
      }
      await sleep(50);
    }
  }

  private async sendAndLeave(bytes: Buffer, milliseconds: number): Promise<void> {
    const socket = await this.open();
    socket.write(bytes);
    await sleep(milliseconds);
    socket.destroy();
  }

  private async open(): Promise<Socket> {
    const socket = connect(this.stack.tlsPort, "127.0.0.1");
    await new Promise<void>((resolve) => {
      socket.on("error", () => resolve());
      socket.once("connect", resolve);
    });
    socket.resume();
    return socket;
  }
}

/** Sessions that are added by hand live longer than others, tickets of the servers (7200 s) included: they are evicted last. */
export function longLife(lifeSeconds: number): number {
  return Math.max(3 * lifeSeconds, 8000);
}

const LANES_OF_A_KIND = 3;
const SILENT = 20;
const VISIT_SECONDS = 30;
