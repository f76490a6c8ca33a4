/** A real Envoy with the filter in front of four demo servers, with clients that come again and again, and a cache that holds a few thousand sessions. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "../../proxies/envoy_config.ts";
import { startEnvoy } from "../../proxies/envoy_process.ts";
import { freePorts } from "../../proxies/free_ports.ts";
import { MODULE_FILE } from "../../project.ts";
import { type DemoUpstream, newTicketKeys, startDemoUpstream } from "../upstream.ts";
import { type Kind, visit } from "../affinity/client.ts";

export const TOKEN = "let-me-in";

export interface DemoProxy {
  readonly adminPort: number;
  stop(): Promise<void>;
}

export async function startDemoProxy(progress: (line: string) => void): Promise<DemoProxy> {
  const [tlsPort, httpsPort, adminPort, envoyAdminPort] = (await freePorts(4)) as [number, number, number, number];
  const upstreams: DemoUpstream[] = [];
  for (let number = 1; number <= SERVERS; number++) {
    upstreams.push(await startDemoUpstream({ name: `demo-${number}`, tickets: true }));
  }
  const envoy = await startEnvoy({
    binary: await findEnvoy(progress),
    configuration: renderEnvoyConfig({
      tlsPort,
      httpsPort,
      adminPort,
      envoyAdminPort,
      upstreams: upstreams.map(({ address }) => address),
      modulePath: MODULE_FILE,
      observer: { steering: "hash" },
    }),
    envoyAdminPort,
    concurrency: 2,
    env: { ADMIN_TOKEN: TOKEN },
  });
  let isStopping = false;
  const running: Promise<void>[] = [];
  const stop = async (): Promise<void> => {
    isStopping = true;
    await Promise.all(running);
    await envoy.stop();
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  };
  try {
    await untilServing(adminPort);
    await fill(adminPort, upstreams);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const [number, kind] of KINDS.entries()) running.push(crowd(kind, number));
  running.push(rotations());
  return { adminPort, stop };

  /** Clients of one kind, one after the other; some of them are new. */
  async function crowd(kind: Kind, number: number): Promise<void> {
    const sessions: (Buffer | undefined)[] = new Array<Buffer | undefined>(CLIENTS).fill(undefined);
    for (let turn = 0; !isStopping; turn++) {
      const client = turn % CLIENTS;
      const isNew = turn % (7 + number * 6) === 0;
      const seen = await visit(tlsPort, kind, `127.77.${number}.${client + 1}`, isNew ? undefined : sessions[client]);
      sessions[client] = seen.session;
      const wave = 1 + Math.sin(Date.now() / 4_000 + number) / 2;
      await sleep(25 * wave);
    }
  }

  /** Now and then a server takes new ticket keys, so its tickets are declined; more often somebody removes a session. */
  async function rotations(): Promise<void> {
    for (let turn = 0; !isStopping; turn++) {
      await sleep(250);
      if (turn % 9 === 8) await removeOne(adminPort);
      if (turn % 48 === 30) upstreams[turn % SERVERS]?.setTicketKeys(newTicketKeys());
    }
  }
}

/** Removes a session that a client will offer again. */
async function removeOne(adminPort: number): Promise<void> {
  const base = `http://127.0.0.1:${adminPort}/v1`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${base}/events?type=new&limit=1000&since=${Math.floor(Date.now() / 1000) - 4}`, {
    headers,
  });
  const { events } = (await answer.json()) as { events: { id: string; cause: string }[] };
  const observed = events.filter(({ cause }) => cause === "handshake").at(-1);
  if (observed !== undefined) await fetch(`${base}/sessions/${observed.id}`, { method: "DELETE", headers });
}

/** Sessions over the API: held ones, removed ones, a revoked name, a removed ticket key. */
async function fill(adminPort: number, upstreams: DemoUpstream[]): Promise<void> {
  const call = (method: string, path: string): Promise<unknown> =>
    fetch(`http://127.0.0.1:${adminPort}${path}`, { method, headers: { authorization: `Bearer ${TOKEN}` } }).then(
      (response) => response.text(),
    );
  const ids = Array.from({ length: HELD }, (_, number) => createHash("sha256").update(`demo ${number}`).digest("hex"));
  for (let at = 0; at < ids.length; at += 32) {
    await Promise.all(
      ids.slice(at, at + 32).map((id, index) => {
        const sni = NAMES[(at + index * 7) % NAMES.length] ?? "";
        const kind = ["ticket", "psk", "ticket", "id"][index % 4] ?? "";
        const upstream = upstreams[(at + index * index) % SERVERS]?.address ?? "";
        const protocol = kind === "psk" ? "TLSv1.3" : "TLSv1.2";
        return call("PUT", `/v1/sessions/${id}?${String(new URLSearchParams({ sni, kind, upstream, protocol }))}`);
      }),
    );
  }
  for (const id of ids.slice(0, 23)) await call("DELETE", `/v1/sessions/${id}`);
  await call("PUT", "/v1/revocations/old.shop.example");
  await call("DELETE", `/v1/ticket-keys/${"0f1e2d3c4b5a6978".repeat(2)}`);
}

async function untilServing(adminPort: number): Promise<void> {
  for (const deadline = Date.now() + START_SECONDS * 1000; ; await sleep(50)) {
    const isServing = await fetch(`http://127.0.0.1:${adminPort}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isServing) return;
    if (Date.now() > deadline) throw new Error("the admin API does not answer");
  }
}

const SERVERS = 4;
const CLIENTS = 40;
const HELD = 1_200;
const KINDS: Kind[] = ["id", "ticket", "stateless"];
const NAMES = [
  "shop.example",
  "api.shop.example",
  "static.shop.example",
  "mail.example",
  "login.example",
  "old.shop.example",
];
const START_SECONDS = 20;
