/**
 * Offers that no server could have taken up, with real servers and clients: of nginx that keeps no session (its
 * `ssl_session_cache none`, the default) and issues IDs all the same, and of Go, which makes up a session ID for each hello.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runCommand } from "../../../tools/command.ts";
import { isPlainTicket } from "../../../tools/demo/plain_ticket.ts";
import { makeDemoCertificate } from "../../../tools/proxies/demo_certificate.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { answers, freePorts } from "../../../tools/proxies/free_ports.ts";
import { PROJECT_FOLDER } from "../../../tools/project.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { Folder, type OpensslServer, untilReachable } from "../../support/openssl.ts";
import { type Stack, startStack } from "../../support/stack.ts";
import { type Visit, visit } from "../../support/tls_client.ts";

const VISITS = 60;
const MOST_VISITS = 400;

describe("two nginx that resume nothing of what they issue", { skip: missing("nginx", "-v") }, () => {
  const folder = new Folder();
  const servers: OpensslServer[] = [];
  let stack: Stack;

  before(async () => {
    await makeDemoCertificate(folder.file("server.pem"));
    for (const name of ["alpha", "beta"]) servers.push(await startNginx(folder, name));
    stack = await startStack({ upstreams: servers.map(({ address }) => address) });
  });

  after(async () => {
    await stack?.stop();
    await Promise.all(servers.map((server) => server.stop()));
    folder.remove();
  });

  it("are found out and named; from then on what they decline is declined, and nothing is lost any more", async () => {
    // By turns the newest session and one older: so both come home and go astray, however Envoy balances.
    const sessions: Buffer[] = [];
    const returns = async (times: number): Promise<AnswerBody> => {
      for (let i = 0; i < times; i++) {
        const offered = sessions.length < 2 ? undefined : sessions.at(i % 4 < 2 ? -1 : -2);
        const { kind, resumed, session }: Visit = await visit({ ...ID_ONLY, port: stack.tlsPort, session: offered });
        assert.deepEqual([kind, resumed], ["id", false]);
        sessions.push(session);
      }
      return await stack.stats();
    };
    // The first two have nothing to offer.
    let found = await returns(2);
    let offers = 0;
    while ((found.never_resume as unknown as string[]).length < 2 && offers < MOST_VISITS) {
      found = await returns(4);
      offers += 4;
    }
    const named = (found.never_resume as unknown as string[]).toSorted();
    assert.deepEqual(named, servers.map(({ address }) => address).toSorted(), `after ${offers} offers`);
    const lost = found.lost as number;
    assert.ok(lost > 0, "before that was known, some counted as lost");
    const now = await returns(VISITS);
    offers += VISITS;
    assert.deepEqual([now.lost, now.declined, now.hits], [lost, offers, 0]);
    assert.deepEqual(
      [now.resumptions_lost, now.resumptions_declined].map((kinds) => (kinds as unknown as { id: number }).id),
      [lost, offers - lost],
    );
  });
});

describe("a client of Go's that is limited to TLS 1.2", { skip: missing("go", "version") }, () => {
  let upstream: DemoUpstream;
  let stack: Stack;

  before(async () => {
    upstream = await startDemoUpstream({ name: "alpha", tickets: true });
    stack = await startStack({ upstreams: [upstream.address] });
  });

  after(async () => {
    await upstream?.close();
    await stack?.stop();
  });

  it("offers what it resumes, and the IDs that it makes up count for nothing", async () => {
    const address = `127.0.0.1:${stack.tlsPort}`;
    const peer = join(PROJECT_FOLDER, "tests", "fixtures", "peers", "peer.go");
    const connect = ["-connect", [address, address, address].join(), "-version", "1.2"];
    /** Whether the ticket was plain: beside an ID, the acceptance of no other one can be attributed. */
    const run = async (): Promise<boolean> => {
      const before = await stack.stats();
      const { exitCode, output } = await runCommand("go", ["run", peer, ...connect], { timeoutSeconds: 120 });
      assert.equal(exitCode, 0, output);
      const printed = [...output.matchAll(/"resumed":(true|false),"ticket":"([0-9a-f]+)"/g)];
      assert.deepEqual(
        printed.map(([, resumed]) => resumed),
        ["false", "true", "true"],
      );
      const isPlain = printed.every(([, , ticket = ""]) => isPlainTicket(Buffer.from(ticket, "hex")));
      const now = await stack.stats();
      const grown = (name: "accept_good" | "misses" | "hits"): number => Number(now[name]) - Number(before[name]);
      assert.deepEqual([grown("accept_good"), grown("misses"), grown("hits")], [3, 0, isPlain ? 2 : 0], output);
      return isPlain;
    };
    let runs = 0;
    for (let plain = 0; plain < 2; runs++) {
      assert.ok(runs < 30, "most tickets are plain");
      if (await run()) plain++;
    }
    const { resumptions_offered, resumptions_declined } = await stack.stats();
    assert.deepEqual(resumptions_offered, { id: 0, ticket: 2 * runs, psk: 0 });
    assert.deepEqual(resumptions_declined, { id: 0, ticket: 0, psk: 0 });
  });
});

const ID_ONLY = { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;

/** It says of itself what the demo's servers say. */
async function startNginx(folder: Folder, name: string): Promise<OpensslServer> {
  const [port] = (await freePorts(1)) as [number];
  const certificate = folder.file("server.pem");
  assert.match(readFileSync(certificate, "utf8"), /PRIVATE KEY/);
  const file = folder.file(`${name}.conf`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder.path};`,
  );
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${file}.pid; error_log ${file}.log crit;
events { worker_connections 256; }
http {
  access_log off; ${temporary.join(" ")} keepalive_timeout 0;
  map $ssl_session_reused $resumed { default false; r true; }
  server {
    listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${certificate};
    ssl_protocols TLSv1.2; ssl_session_cache none; ssl_session_tickets off;
    location / { return 200 "upstream ${name} resumed=$resumed protocol=$ssl_protocol"; }
  }
}\n`,
  );
  const child = spawn("nginx", ["-c", file, "-e", `${file}.log`], { stdio: "ignore" });
  return await untilReachable(child, port, "nginx listens", async () => assert.ok(await answers(port)));
}

function missing(program: string, ...options: string[]): string | false {
  return spawnSync(program, options).error === undefined ? false : `${program} is not installed`;
}
