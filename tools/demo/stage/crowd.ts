/** The clients of `npm run demo`: each comes again and again with the newest session that it got, until the crowd is stopped. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Kind, visit } from "../affinity/client.ts";

export type Fate = "resumed" | "full" | "refused";

export interface Guest {
  kind: Kind;
  serverName: string;
  /** Of its last visit; null before the first. */
  last: { fate: Fate; server: string } | null;
}

export class Crowd {
  readonly guests: readonly Guest[];
  private isStopped = false;
  private readonly visits: Promise<void>[];

  /** `count` clients, of each kind and of each server name by turns. */
  constructor(count: number, port: number) {
    this.guests = Array.from({ length: count }, (_, index) => ({
      kind: KINDS[index % KINDS.length] ?? "ticket",
      serverName: SERVER_NAMES[index % SERVER_NAMES.length] ?? "shop.example",
      last: null,
    }));
    this.visits = this.guests.map((guest, index) => this.comeAgain(guest, index, port));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.visits);
  }

  private async comeAgain(guest: Guest, index: number, port: number): Promise<void> {
    let session: Buffer | undefined;
    await sleep((index * PAUSE_MILLISECONDS) / this.guests.length);
    while (!this.isStopped) {
      const seen = await visit(port, guest.kind, `127.77.1.${String(index + 1)}`, session, 0, guest.serverName);
      // Upon an alert a client forgets its session, as browsers do.
      session = seen.error === null ? seen.session : undefined;
      const fate = seen.error !== null ? "refused" : seen.resumed ? "resumed" : "full";
      guest.last = { fate, server: seen.upstream === "" ? (guest.last?.server ?? "") : seen.upstream };
      await sleep(PAUSE_MILLISECONDS);
    }
  }
}

const KINDS: Kind[] = ["ticket", "id", "stateless"];
const SERVER_NAMES = ["shop.example", "api.example"];
const PAUSE_MILLISECONDS = 500;
