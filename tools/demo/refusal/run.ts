/**
 * What `npm run demo:refusal` measures, and the tests in a smaller number: attempts on sessions that are removed while others are at
 * it. An attempt counts as one on a removed session if it began after the DELETE of that session was answered.
 */
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { type Kind, type Seen, visit } from "../affinity/client.ts";
import { type DemoUpstream, startDemoUpstream } from "../upstream.ts";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "../../proxies/envoy_config.ts";
import { startEnvoy } from "../../proxies/envoy_process.ts";
import { MODULE_FILE } from "../../project.ts";
import { sessionOf } from "../ssl_session.ts";
import { freePorts } from "../../proxies/free_ports.ts";

export interface RefusalOptions {
  /** Attempts on removed sessions, and as many of bystanders. */
  attempts: number;
  /** `off`: one server, so that a client can only be refused. `hash`: four, so that it can be sent to another one. */
  steering: "off" | "hash";
  progress: (line: string) => void;
}

export interface RefusalResult {
  steering: "off" | "hash";
  /** By kind, of the attempts on removed sessions: the client's view. */
  removed: Map<Kind, { resumed: number; alert: number; full: number; other: number }>;
  bystanders: Map<Kind, { resumed: number; full: number; other: number }>;
  /** One line each for what must not be. */
  complaints: string[];
}

export async function measureRefusal(options: RefusalOptions): Promise<RefusalResult> {
  const names = options.steering === "off" ? ["alpha"] : ["alpha", "beta", "gamma", "delta"];
  const upstreams: DemoUpstream[] = [];
  try {
    for (const name of names) upstreams.push(await startDemoUpstream({ name, tickets: true }));
    return await withProxy(upstreams, options.steering, (ports) => race(ports, options));
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

export function refusalTable(results: RefusalResult[]): string {
  const head = ["", "attempts on removed sessions", "resumed", "full handshake", "alert", "anything else"];
  const bystanderHead = ["bystanders", "resumed", "full handshake", "anything else"];
  const lines = results.flatMap(({ steering, removed, bystanders }) =>
    KINDS.map((kind) => {
      const { resumed, alert, full, other } = removed.get(kind) ?? { resumed: 0, alert: 0, full: 0, other: 0 };
      const others = bystanders.get(kind) ?? { resumed: 0, full: 0, other: 0 };
      const title = `${steering === "off" ? "one server" : "four servers, steering"}; ${TITLES[kind]}`;
      const cells = [resumed + alert + full + other, resumed, full, alert, other];
      const bystanderCells = [others.resumed + others.full + others.other, others.resumed, others.full, others.other];
      return [title, ...[...cells, ...bystanderCells].map((count) => count.toLocaleString("en"))];
    }),
  );
  const heads = [...head, ...bystanderHead];
  return [heads, heads.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

interface Ports {
  tlsPort: number;
  adminPort: number;
}

/** A client's session, offered again and again. */
interface Held {
  kind: Kind;
  session: Buffer;
  id: string;
  removed: boolean;
}

async function race(ports: Ports, { attempts, steering, progress }: RefusalOptions): Promise<RefusalResult> {
  const result: RefusalResult = { steering, removed: new Map(), bystanders: new Map(), complaints: [] };
  for (const kind of KINDS) {
    result.removed.set(kind, { resumed: 0, alert: 0, full: 0, other: 0 });
    result.bystanders.set(kind, { resumed: 0, full: 0, other: 0 });
  }
  const count = Math.max(12, Math.min(600, Math.round(attempts / 10)));
  const victims = await arrive(ports, count, steering);
  const bystanders = await arrive(ports, count, steering);

  let onRemoved = 0;
  let ofBystanders = 0;
  const attack = async (i: number): Promise<void> => {
    const victim = victims[i % victims.length] as Held;
    const wasRemoved = victim.removed;
    const seen = await visit(ports.tlsPort, victim.kind, "127.0.0.1", victim.session);
    if (!wasRemoved) return;
    onRemoved++;
    if (onRemoved % 1000 === 0) progress(`${steering}: ${onRemoved} attempts on removed sessions`);
    const counts = result.removed.get(victim.kind);
    const saw = sightOf(seen);
    if (counts !== undefined) counts[saw]++;
    if (saw === "resumed") result.complaints.push(`a removed ${victim.kind} was resumed`);
    if (saw === "other") result.complaints.push(`an attempt on a removed ${victim.kind} ended with: ${seen.error}`);
  };
  const pass = async (i: number): Promise<void> => {
    const { kind, session } = bystanders[i % bystanders.length] as Held;
    const seen = await visit(ports.tlsPort, kind, "127.0.0.1", session);
    ofBystanders++;
    const counts = result.bystanders.get(kind);
    if (seen.error !== null) {
      if (counts !== undefined) counts.other++;
      result.complaints.push(`a bystander's ${kind} ended with: ${seen.error}`);
    } else if (counts !== undefined) {
      counts[seen.resumed ? "resumed" : "full"]++;
      if (!seen.resumed) result.complaints.push(`a bystander's ${kind} was not resumed`);
    }
  };
  // Half of the victims go while their clients are at it, the others have gone before the attempts are at an end.
  const remove = async (): Promise<void> => {
    for (const [i, victim] of victims.entries()) {
      while (onRemoved < (i * attempts) / victims.length / 2 && i > victims.length / 10) await pause();
      const status = await callOn("DELETE", ports.adminPort, victim.id);
      if (status !== 200) result.complaints.push(`DELETE of a session that was learned answered ${status}`);
      victim.removed = true;
    }
  };
  const most = attempts * 20;
  await Promise.all([
    remove(),
    inLanes(most, attack, () => onRemoved >= attempts),
    inLanes(attempts, pass, () => ofBystanders >= attempts),
  ]);
  if (onRemoved < attempts) result.complaints.push(`only ${onRemoved} attempts on removed sessions were made`);
  return result;
}

/**
 * Clients of every kind by turns, each with a session that the cache holds. It learns nothing of one PSK in 400, which ends like a
 * shorter one with bytes behind it: the client of such a PSK is left out.
 */
async function arrive({ tlsPort, adminPort }: Ports, count: number, steering: "off" | "hash"): Promise<Held[]> {
  const held: Held[] = [];
  let unheld = 0;
  await inLanes(
    count * 4,
    async (i) => {
      const kind = KINDS[i % KINDS.length] ?? "id";
      const first = await visit(tlsPort, kind, "127.0.0.1");
      if (first.session === undefined) throw new Error(`a new connection failed: ${first.error}`);
      if (kind === "stateless") {
        // A PSK is known to the proxy once a server has accepted it; which server can, steering finds out by trying.
        let known = false;
        for (let tries = 0; tries < 6 && !known; tries++) {
          known = (await visit(tlsPort, kind, "127.0.0.1", first.session)).resumed;
        }
        if (!known) throw new Error(`a PSK was never accepted (steering ${steering})`);
      }
      const id = idOf(first.session);
      if (kind === "stateless" && (await callOn("GET", adminPort, id)) === 404) {
        if (++unheld > 1 + count / 20)
          throw new Error(`${unheld} of ${held.length} accepted PSKs are not in the cache`);
        return;
      }
      held.push({ kind, session: first.session, id, removed: false });
    },
    () => held.length >= count,
  );
  return held;
}

function sightOf({ error, resumed }: Seen): "resumed" | "alert" | "full" | "other" {
  if (error === null) return resumed ? "resumed" : "full";
  return /alert handshake failure/i.test(error) ? "alert" : "other";
}

/** The API's name of a session that a client holds. */
function idOf(session: Buffer): string {
  const { sessionId, ticket } = sessionOf(session);
  return ticket === null ? sessionId.toString("hex") : createHash("sha256").update(ticket).digest("hex");
}

/** The status of a call on one session. */
function callOn(method: "GET" | "DELETE", port: number, id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const options = { host: "127.0.0.1", port, method, path: `/v1/sessions/${id}`, headers };
    const request = httpRequest(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    request.setTimeout(10_000, () => request.destroy(new Error(`no answer to a ${method}`)));
    request.on("error", reject);
    request.end();
  });
}

async function withProxy<T>(
  upstreams: DemoUpstream[],
  steering: "off" | "hash",
  act: (ports: Ports) => Promise<T>,
): Promise<T> {
  const [tlsPort, httpsPort, adminPort, envoyAdminPort] = (await freePorts(4)) as [number, number, number, number];
  const envoy = await startEnvoy({
    binary: await findEnvoy(() => undefined),
    configuration: renderEnvoyConfig({
      tlsPort,
      httpsPort,
      adminPort,
      envoyAdminPort,
      upstreams: upstreams.map(({ address }) => address),
      modulePath: MODULE_FILE,
      observer: { steering },
    }),
    envoyAdminPort,
    concurrency: 2,
    env: { ADMIN_TOKEN: TOKEN, ADMIN_READ_TOKEN: undefined },
  });
  try {
    return await act({ tlsPort, adminPort });
  } finally {
    await envoy.stop();
  }
}

/** Runs `act` for 0, 1, 2, and so on, some at a time, at most `count` times and until `isEnough`. */
async function inLanes(count: number, act: (i: number) => Promise<void>, isEnough: () => boolean): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !isEnough()) await act(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

const KINDS: Kind[] = ["id", "ticket", "stateless"];
const TITLES: Record<Kind, string> = {
  id: "TLS 1.2 ID",
  ticket: "TLS 1.2 ticket",
  stateless: "TLS 1.3 PSK",
  stateful: "TLS 1.3 PSK, stateful",
};
const AT_A_TIME = 8;
const TOKEN = "demo-token-0123456789";
