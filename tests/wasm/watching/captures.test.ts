/** What real peers of many stacks said to each other, on the built module: learned, resumed and counted as they saw it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type Capture, captures } from "../../support/captures.ts";
import type { Flight } from "../../fake_host/fake_host.ts";
import { Proxy } from "../../fake_host/proxy.ts";

const all = await captures();
const named = new Map(all.map((capture) => [capture.name, capture]));

describe("a captured handshake", () => {
  it("has a name of its own and is of a kind that is known", () => {
    assert.equal(named.size, all.length);
    for (const { name, kind, flights } of all) {
      assert.match(kind, /^(full|id|ticket|psk|failed)$/, name);
      assert.ok(flights.length >= 2, name);
    }
  });

  for (const capture of all) {
    it(`is counted and learned as its peers saw it: ${capture.name}`, async () => {
      const proxy = new Proxy({ workers: 1 });
      replay(proxy, capture.flights);
      assert.deepEqual(outcomes(proxy), expectedOutcomes(capture, 1));
      assert.equal(proxy.host.metric("parse_errors_total"), 0);
      const sessions = await proxy.list();
      const issued = capture.kind === "full" ? (capture.ticket ?? capture.id) : undefined;
      if (issued !== undefined) {
        const session = proxy.session(issued);
        const kind = capture.ticket === undefined ? "id" : "ticket";
        assert.deepEqual([session.kind, session.protocol, session.sni], [kind, capture.protocol, capture.sni]);
        assert.equal(session.timeout, capture.hint || 7200);
      }
      if (["id", "ticket", "psk"].includes(capture.kind) && !hidesPsk(capture)) {
        const [session] = sessions.filter(({ last_used }) => last_used !== null);
        // An echoed ID beside a ticket proves neither, unless the client has made it from the ticket.
        const learned = provesNothing(capture) ? [undefined, undefined] : [capture.kind, capture.protocol];
        assert.deepEqual([session?.kind, session?.protocol], learned);
        if (session !== undefined) assert.equal(session.issued, null, "nobody has seen its issue");
      }
      if (capture.kind === "failed" || hidesPsk(capture)) assert.equal(sessions.length, 0);
    });
  }

  it("that resumes a ticket beside an ID counts for the ticket, where its issue was seen", async () => {
    let seen = 0;
    for (const capture of all.filter(provesNothing)) {
      const full = named.get(capture.name.replace(/_resumed$/, "_full"));
      const id = offeredHandles(capture).ticket?.toString("hex");
      if (full === undefined) continue;
      const proxy = new Proxy({ workers: 1 });
      replay(proxy, full.flights);
      if (!(await proxy.list()).some((session) => session.id === id)) continue;
      replay(proxy, capture.flights);
      const session = (await proxy.list()).find((other) => other.id === id);
      assert.deepEqual([proxy.stat("hits"), session?.hits], [1, 1], capture.name);
      seen++;
    }
    assert.ok(seen > 3, `${seen} captures`);
  });

  it("passes untouched", () => {
    for (const { name, flights } of all) {
      const connection = replay(new Proxy({ workers: 1 }), flights);
      for (const [from, passed] of [
        ["client", connection.toServer],
        ["server", connection.toClient],
      ] as const) {
        const sent = Buffer.concat(flights.filter((flight) => flight.from === from).map(({ bytes }) => bytes));
        assert.ok(Buffer.concat(passed).equals(sent), `${name}: bytes of the ${from}`);
      }
    }
  });

  for (const capture of all) {
    it(`is counted alike cut at any byte: ${capture.name}`, async () => {
      const proxy = new Proxy({ workers: 1 });
      const whole = new Proxy({ workers: 1 });
      replay(whole, capture.flights);
      const length = lengthOf(capture.flights);
      let cuts = 0;
      for (let cut = 1; cut < length; cut++) {
        replay(proxy, cutAt(capture.flights, cut));
        cuts++;
      }
      assert.deepEqual(outcomes(proxy), expectedOutcomes(capture, cuts));
      assert.equal(proxy.host.metric("parse_errors_total"), 0);
      assert.equal(await proxy.number(), await whole.number());
    });
  }
});

describe("a resumption by a PSK that stands in an encrypted hello", () => {
  const hidden = named.get("go_ech_tls13_resumed");
  const ALERT = Buffer.from("15030300020228", "hex");

  function refusals(proxy: Proxy, pieces: (flights: Flight[]) => Flight[]): [number, boolean] {
    assert.ok(hidden);
    const { toClient } = replay(proxy, pieces(hidden.flights.slice(0, 2)));
    return [proxy.stat("refused"), Buffer.concat(toClient).equals(ALERT)];
  }
  const whole = (flights: Flight[]): Flight[] => flights;
  const answerInPieces = (flights: Flight[]): Flight[] => cutAt(flights, lengthOf(flights.slice(0, 1)) + 20);

  for (const [how, pieces] of Object.entries({ whole, "in pieces": answerInPieces })) {
    it(`goes through, as nothing is known of it that was removed (${how})`, () => {
      assert.deepEqual(refusals(new Proxy({ cache: { enforcement: "revoked" } }), pieces), [0, false]);
    });

    it(`is refused where its public name is revoked (${how})`, () => {
      const proxy = new Proxy({ cache: { enforcement: "revoked" } });
      assert.equal(proxy.request("PUT", "/v1/revocations/public.example").status, 201);
      assert.deepEqual(refusals(proxy, pieces), [1, true]);
    });

    it(`is refused under strict, as no cache can hold it (${how})`, () => {
      assert.deepEqual(refusals(new Proxy({ cache: { enforcement: "strict" } }), pieces), [1, true]);
    });
  }
});

function replay(proxy: Proxy, flights: Flight[]) {
  return proxy.handshake(flights, "10.0.0.7:443");
}

/** Handshakes by protocol and outcome, those that are not 0. */
function outcomes(proxy: Proxy): Record<string, number> {
  const family = "tls_session_cache_handshakes_total.";
  const seen: Record<string, number> = {};
  for (const name of proxy.host.metrics.names()) {
    const value = name.startsWith(family) ? proxy.host.metrics.value(name) : 0;
    const [, protocol, outcome] = /protocol\.(.*)\.outcome\.(.*)/.exec(name) ?? [];
    if (value > 0) seen[`${protocol} ${outcome}`] = value;
  }
  return seen;
}

function expectedOutcomes({ kind, protocol }: Capture, times: number): Record<string, number> {
  if (kind === "failed") return {};
  return { [`${protocol} ${kind === "full" ? kind : `resumed_${kind}`}`]: times };
}

/** Whether a resumption of TLS 1.2 shows an ID beside its ticket that may be any session's. */
function provesNothing(capture: Capture): boolean {
  const { id, ticket } = offeredHandles(capture);
  return capture.kind === "ticket" && ticket !== undefined && id.length > 0 && !id.equals(ticket);
}

/** The offer of a hello in TLS 1.2: its session ID, and the SHA-256 of its ticket. */
function offeredHandles({ flights }: Capture): { id: Buffer; ticket: Buffer | undefined } {
  const hello = helloOf(flights);
  let at = 4 + 2 + 32;
  const take = (lengthBytes: number): Buffer => {
    const length = hello.readUIntBE(at, lengthBytes);
    at += lengthBytes + length;
    return hello.subarray(at - length, at);
  };
  const id = take(1);
  take(2);
  take(1);
  for (at += 2; at < hello.length;) {
    const type = hello.readUInt16BE(at);
    at += 2;
    const body = take(2);
    if (type === 35 && body.length > 0) return { id, ticket: createHash("sha256").update(body).digest() };
  }
  return { id, ticket: undefined };
}

/** The first message of the client, out of its records. */
function helloOf(flights: Flight[]): Buffer {
  const bytes = Buffer.concat(flights.filter(({ from }) => from === "client").map((flight) => flight.bytes));
  const bodies: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === 0x16; at += 5 + bytes.readUInt16BE(at + 3)) {
    bodies.push(bytes.subarray(at + 5, at + 5 + bytes.readUInt16BE(at + 3)));
  }
  const messages = Buffer.concat(bodies);
  return messages.subarray(0, 4 + messages.readUIntBE(1, 3));
}

/** Of a hello in a hello the identities cannot be seen. */
function hidesPsk({ kind, sni }: Capture): boolean {
  return kind === "psk" && sni === "public.example";
}

function lengthOf(flights: Flight[]): number {
  return flights.reduce((length, { bytes }) => length + bytes.length, 0);
}

/** With one more cut before byte `cut` of the whole. */
function cutAt(flights: Flight[], cut: number): Flight[] {
  const pieces: Flight[] = [];
  let before = 0;
  for (const { from, bytes } of flights) {
    const at = cut - before;
    if (at > 0 && at < bytes.length) {
      pieces.push({ from, bytes: bytes.subarray(0, at) }, { from, bytes: bytes.subarray(at) });
    } else {
      pieces.push({ from, bytes });
    }
    before += bytes.length;
  }
  return pieces;
}
