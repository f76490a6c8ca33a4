/** The bytes that passed a proxy, and those that the client got in their place, in the words of tests of refusals. */
import assert from "node:assert/strict";
import type { AnswerBody } from "../support/answer.ts";
import type { Connection, Flight } from "./fake_host.ts";
import type { Proxy } from "./proxy.ts";

export const HANDSHAKE_FAILURE = 40;

/** A fatal alert in clear. */
export function fatalAlert(description: number, version = 0x0303): Buffer {
  return Buffer.of(0x15, version >> 8, version & 0xff, 0, 2, 2, description);
}

/** The bytes that the client has received, and those of the server. */
export function received({ toClient }: Connection): Buffer {
  return Buffer.concat(toClient);
}

export function reached({ toServer }: Connection): Buffer {
  return Buffer.concat(toServer);
}

export function bytesFrom(side: Flight["from"], flights: readonly Flight[]): Buffer {
  return Buffer.concat(flights.filter(({ from }) => from === side).map(({ bytes }) => bytes));
}

/** Runs an exchange and leaves the connection open. */
export function run(proxy: Proxy, flights: readonly Flight[], upstream = "10.0.0.7:443"): Connection {
  return proxy.worker.connection({ upstream }).exchange(flights);
}

/** Both sides' bytes went through, whole and in order. */
export function assertPassed(connection: Connection, flights: readonly Flight[], what = "a connection"): void {
  assert.equal(received(connection).toString("hex"), bytesFrom("server", flights).toString("hex"), `${what}: client`);
  assert.equal(reached(connection).toString("hex"), bytesFrom("client", flights).toString("hex"), `${what}: server`);
}

/** The client received exactly that, and a moment later its connection was closed. */
export function assertAnsweredWith(proxy: Proxy, connection: Connection, expected: Buffer, what = "the client"): void {
  assert.equal(received(connection).toString("hex"), expected.toString("hex"), what);
  proxy.host.pass(0.1);
  assert.ok(connection.closed, `${what}: the connection is closed`);
  assert.equal(received(connection).length, expected.length, `${what}: nothing follows`);
}

/** Whether an exchange ends with an alert in the place of the server's answer. */
export function isRefused(proxy: Proxy, flights: readonly Flight[]): boolean {
  const connection = run(proxy, flights);
  const last = received(connection).subarray(-7);
  const refused = last.equals(fatalAlert(HANDSHAKE_FAILURE));
  if (!refused) assertPassed(connection, flights);
  connection.close();
  return refused;
}

/** The refusals that were reported as events so far, oldest first. */
export function refusals(proxy: Proxy): AnswerBody[] {
  proxy.host.pass(3);
  const { events } = proxy.request("GET", "/v1/events?limit=1000").json;
  return (events as AnswerBody[]).filter(({ type }) => type === "refused");
}

/** Lines that were logged as something to look into. */
export function complaints(proxy: Proxy): string[] {
  return proxy.host.log.filter(({ level }) => level === "warn" || level === "error").map(({ text }) => text);
}
