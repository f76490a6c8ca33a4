/**
 * A client that only wants to shake hands, a process of its own, so that nothing but its proxy and its server can delay it. For each
 * `{port, count, pauseMilliseconds}` it makes so many full handshakes of TLS 1.2, one after the other, and reports how many
 * milliseconds each took, from the first packet of TCP to the end of the handshake.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { BystanderOrder, BystanderReport } from "./bystander_orders.ts";
import { serveOrders } from "./parts.ts";

serveOrders(carryOut);

async function carryOut({ port, count, pauseMilliseconds }: BystanderOrder): Promise<BystanderReport> {
  const milliseconds: number[] = [];
  for (let i = 0; i < count; i++) {
    milliseconds.push(await handshake(port));
    await sleep(pauseMilliseconds);
  }
  return { milliseconds };
}

function handshake(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost.example",
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.2",
    });
    let took = 0;
    socket.setTimeout(PATIENCE_MILLISECONDS, () => socket.destroy(new Error("no handshake in time")));
    socket.once("secureConnect", () => {
      took = performance.now() - begun;
      socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(took));
    socket.resume();
  });
}

const PATIENCE_MILLISECONDS = 20_000;
