/**
 * The clients of `npm run bench:system`, a process of their own: Node's TLS clients, which are OpenSSL. Each asks for a page, keeps the
 * newest session that it was given, and offers it when the seed says so. A client has one connection at a time. A connection
 * that fails fails the order.
 */
import { connect as connectTcp } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { Addresses } from "../../tools/demo/affinity/client.ts";
import { inParallel } from "../../tools/demo/affinity/crowd.ts";
import { Random } from "../../tests/support/random.ts";
import { serveOrders } from "../parts.ts";
import { connectDelayed } from "./delayed_socket.ts";
import type { Visits, VisitsReport } from "./messages.ts";

serveOrders(visitAll);

interface Crowd {
  addresses: Addresses;
  sessions: (Buffer | undefined)[];
}

interface Visit {
  isResumed: boolean;
  session: Buffer | undefined;
  firstByteMilliseconds: number;
}

/** Each lane has clients of its own, and its own chance: so the seed decides, however fast the lanes are. */
async function visitAll(order: Visits): Promise<VisitsReport> {
  const { lanes, connections, seed, resumePercent, delayMilliseconds } = order;
  const crowd = crowdOf(order);
  const report: VisitsReport = { offered: 0, resumed: 0, firstByteMilliseconds: [] };
  await inParallel(lanes, lanes, async (lane) => {
    const random = new Random(seed + lane * LANE_STRIDE);
    // Distant clients that all begin at once would wait for each other's handshakes at every step.
    if (delayMilliseconds > 0) await sleep((lane / lanes) * TRIPS * delayMilliseconds);
    for (let left = Math.ceil((connections - lane) / lanes); left > 0; left--) {
      const client = lane + lanes * random.below(Math.floor((CLIENTS - 1 - lane) / lanes) + 1);
      const offered = random.below(100) < resumePercent ? crowd.sessions[client] : undefined;
      const seen = await visit(order, crowd.addresses.of(client), offered);
      if (offered !== undefined) report.offered++;
      if (seen.isResumed) report.resumed++;
      report.firstByteMilliseconds.push(seen.firstByteMilliseconds);
      crowd.sessions[client] = seen.session;
    }
  });
  return report;
}

function crowdOf({ crowd: name, addresses }: Visits): Crowd {
  let crowd = crowds.get(name);
  if (crowd === undefined) {
    crowd = { addresses: new Addresses(addresses === "stable" ? "stable" : "new"), sessions: new Array(CLIENTS) };
    crowds.set(name, crowd);
  }
  return crowd;
}

async function visit(
  { port, version, delayMilliseconds }: Visits,
  localAddress: string,
  offered: Buffer | undefined,
): Promise<Visit> {
  const begin = performance.now();
  const way = { host: "127.0.0.1", port, localAddress };
  const socket = connect({
    socket:
      delayMilliseconds > 0 ? await connectDelayed(way, delayMilliseconds) : connectTcp({ ...way, noDelay: true }),
    servername: "shop.example",
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(offered === undefined ? {} : { session: offered }),
  });
  return await new Promise((resolve, reject) => {
    let session = offered;
    let isResumed = false;
    let firstByteMilliseconds: number | undefined;
    const patience = setTimeout(() => socket.destroy(new Error("no answer")), PATIENCE_MILLISECONDS);
    socket.on("session", (made: Buffer) => (session = made));
    socket.on("secureConnect", () => {
      isResumed = socket.isSessionReused();
      socket.write(REQUEST);
    });
    socket.on("data", () => (firstByteMilliseconds ??= performance.now() - begin));
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(patience);
      if (firstByteMilliseconds === undefined) reject(new Error("the connection ended without an answer"));
      else resolve({ isResumed, session, firstByteMilliseconds });
    });
  });
}

const CLIENTS = 64;
/** One-way trips of a resumption, about. */
const TRIPS = 6;
const LANE_STRIDE = 0x9e3779b1;
const PATIENCE_MILLISECONDS = 20_000;
const REQUEST = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";
const crowds = new Map<string, Crowd>();
