/** The acts of `npm run demo`: each is a command of tls-sessions, and the effect on the clients that must follow. */
import type { Statistics } from "../../client/answers.generated.ts";
import type { Api } from "../../client/api.ts";
import { handshakesOf } from "../../client/rates.ts";

export interface Act {
  /** In front of the command. */
  says: string;
  /** The arguments of tls-sessions; null if nothing is called. */
  command: (api: Api) => Promise<string[]> | string[] | null;
  /** Whether the effect is there, by the counters before the command and now. */
  isDone: (before: Statistics, now: Statistics) => boolean;
  /** The effect in words. */
  tells: (before: Statistics, now: Statistics) => string;
}

export const STORY: Act[] = [
  {
    says: "The clients come back again and again. Nobody here can decrypt; every session goes home.",
    command: () => null,
    isDone: (before, now) => resumedSince(before, now) >= 30 && shareSince(before, now) > 0.6,
    tells: (before, now) => `${percent(shareSince(before, now))} of the handshakes resumed`,
  },
  {
    says: "One session leaked.",
    command: async (api) => {
      const { sessions } = await api.call("listSessions", { query: { kind: "ticket", limit: 100 } });
      const [latest] = sessions.sort((one, other) => (other.last_used ?? 0) - (one.last_used ?? 0));
      return ["remove", latest?.id ?? ""];
    },
    isDone: (before, now) => stoppedSince(before, now) >= 1,
    tells: () => "its client was sent elsewhere, and got a full handshake; nobody else noticed",
  },
  {
    says: "A customer lost a laptop: nothing of shop.example from before may resume.",
    command: () => ["revoke", "shop.example"],
    isDone: (before, now) => stoppedSince(before, now) >= 5,
    tells: (before, now) => `${String(stoppedSince(before, now))} resumptions stopped; new sessions resume again`,
  },
  {
    says: "False alarm.",
    command: () => ["lift", "shop.example"],
    isDone: (before, now) => resumedSince(before, now) >= 12,
    tells: (before, now) => `${percent(shareSince(before, now))} of the handshakes resume again`,
  },
  {
    says: "A server's ticket key leaked.",
    command: async (api) => ["ticket-keys", "remove", await busiestKey(api)],
    isDone: (before, now) => stoppedSince(before, now) >= 1,
    tells: () => "each client with a ticket under that key gets a full handshake elsewhere",
  },
  {
    says: "Its server has a new one now.",
    command: async (api) => ["ticket-keys", "lift", await removedKey(api)],
    isDone: (before, now) => resumedSince(before, now) >= 12,
    tells: (before, now) => `${percent(shareSince(before, now))} of the handshakes resume`,
  },
];

async function busiestKey(api: Api): Promise<string> {
  const { ticket_keys: keys } = await api.call("listTicketKeys");
  const [busiest] = keys.sort((one, other) => other.tickets - one.tickets);
  return busiest?.name ?? "";
}

async function removedKey(api: Api): Promise<string> {
  const { ticket_keys: keys } = await api.call("listTicketKeys");
  return keys.find(({ state }) => state === "removed")?.name ?? "";
}

function resumedSince(before: Statistics, now: Statistics): number {
  return handshakesOf(now).resumed - handshakesOf(before).resumed;
}

function shareSince(before: Statistics, now: Statistics): number {
  const resumed = resumedSince(before, now);
  const full = handshakesOf(now).full - handshakesOf(before).full;
  return resumed + full === 0 ? 0 : resumed / (resumed + full);
}

function stoppedSince(before: Statistics, now: Statistics): number {
  return now.refused + now.diverted - before.refused - before.diverted;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
