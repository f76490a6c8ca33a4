import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { after, before, test } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { newTicketKeys, startDemoUpstream, type DemoUpstream } from "./upstream.ts";

let withTickets: DemoUpstream;
let withoutTickets: DemoUpstream;

before(async () => {
  withTickets = await startDemoUpstream({ name: "a", tickets: true });
  withoutTickets = await startDemoUpstream({ name: "b", tickets: false });
});
after(async () => {
  await withTickets.close();
  await withoutTickets.close();
});

test("says who answers, and resumes a TLS 1.2 ticket and a TLS 1.3 session", async () => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const first = await ask(withTickets, { maxVersion });
    assert.match(
      first.answer,
      new RegExp(`^HTTP/1.1 200 OK\r\n[^]*\r\n\r\nupstream a resumed=false protocol=${maxVersion}\n$`),
    );
    const second = await ask(withTickets, { maxVersion, session: first.session });
    assert.match(second.answer, /resumed=true/);
  }
});

test("resumes by session ID if there are no tickets", async () => {
  const first = await ask(withoutTickets, { maxVersion: "TLSv1.2" });
  const second = await ask(withoutTickets, { maxVersion: "TLSv1.2", session: first.session });
  assert.match(second.answer, /upstream b resumed=true protocol=TLSv1\.2/);
});

test("shares no session with another upstream", async () => {
  const rival = await startDemoUpstream({ name: "c", tickets: true });
  try {
    const first = await ask(withTickets, { maxVersion: "TLSv1.2" });
    const second = await ask(rival, { maxVersion: "TLSv1.2", session: first.session });
    assert.match(second.answer, /upstream c resumed=false/);
  } finally {
    await rival.close();
  }
});

test("survives plain text, a hello cut short and clients that leave", async () => {
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", Buffer.from("1603010200010001fc0303", "hex"), ""]) {
    const socket = connectTcp(withTickets.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(bytes);
    socket.on("error", () => undefined);
    setTimeout(() => socket.destroy(), 50);
    await once(socket, "close");
  }
  assert.match((await ask(withTickets, {})).answer, /upstream a/);
});

async function ask(
  upstream: DemoUpstream,
  options: ConnectionOptions,
): Promise<{ answer: string; session: Buffer | undefined }> {
  const socket: TLSSocket = connect({ port: upstream.port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on("session", (given: Buffer) => (session = given));
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await once(socket, "close");
  return { answer, session };
}

test("resumes what another upstream of the same ticket keys has issued, until the keys are changed", async () => {
  const ticketKeys = newTicketKeys();
  const twins = await Promise.all(["d", "e"].map((name) => startDemoUpstream({ name, tickets: true, ticketKeys })));
  const [issuer, twin] = twins as [DemoUpstream, DemoUpstream];
  try {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const { session } = await ask(issuer, { maxVersion });
      assert.match((await ask(twin, { maxVersion, session })).answer, /upstream e resumed=true/);
      const nextKeys = newTicketKeys();
      for (const upstream of twins) upstream.setTicketKeys(nextKeys);
      assert.match((await ask(twin, { maxVersion, session })).answer, /upstream e resumed=false/);
      const fresh = await ask(issuer, { maxVersion });
      assert.match((await ask(twin, { maxVersion, session: fresh.session })).answer, /upstream e resumed=true/);
    }
  } finally {
    await Promise.all(twins.map((upstream) => upstream.close()));
  }
});
