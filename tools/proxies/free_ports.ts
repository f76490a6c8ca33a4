/** Ports of 127.0.0.1: free ones, and whether somebody listens on one. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** Ports that nobody listened on a moment ago, each another one, and another one than this process was ever given. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  // What is closed is free again, and the system may give it once more.
  for (let round = 0; ports.length < count; round++) {
    if (round === ROUNDS) throw new Error(`no ${count} ports of 127.0.0.1 that were not given before`);
    const found = await portsOfSystem(count - ports.length);
    ports.push(...found.filter((port) => !given.has(port)));
    for (const port of found) given.add(port);
  }
  return ports;
}

async function portsOfSystem(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Reports whether a connection is accepted. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

const ROUNDS = 50;
const given = new Set<number>();
