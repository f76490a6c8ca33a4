/** Orders for the client of `bystander_client.ts`, a part of its own. */
import { ask, type Part } from "./parts.ts";

export interface BystanderOrder {
  port: number;
  count: number;
  pauseMilliseconds: number;
}

export interface BystanderReport {
  /** Of each handshake. */
  milliseconds: number[];
}

/** For `startPart`. */
export const BYSTANDER_CLIENT = "bystander_client.ts";

/** Milliseconds of each handshake of an order. */
export async function handshakesOf(client: Part, order: BystanderOrder): Promise<number[]> {
  return (await ask<BystanderOrder, BystanderReport>(client, order)).milliseconds;
}
