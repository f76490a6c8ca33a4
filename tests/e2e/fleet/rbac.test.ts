/**
 * Proxies of a fleet whose etcd asks for certificates and roles, as deploy/fleet/ sets them up: with its role a proxy takes part; it
 * cannot write as another one; without a role it serves on its own, and takes part as soon as it gets one.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { fleetState, idOf, startProxy, statusOf, stopAll, untilStatus } from "../../support/fleet.ts";
import { SecureEtcd } from "../../support/secure_etcd.ts";
import { type Stack, eventually } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const PREFIX = "/tls_session_cache/1/default";
const PERMISSION_DENIED = 7;
const RECOVERY_SECONDS = 10;

let upstream: DemoUpstream;
let secure: SecureEtcd;
let proxies: [Stack, Stack];

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  secure = await SecureEtcd.start(["edge-1", "edge-2", "edge-3"]);
  await secure.giveRoles(["edge-1", "edge-2"]);
  proxies = [await start("edge-1"), await start("edge-2")];
});

after(async () => {
  await stopAll(proxies ?? []);
  await secure?.remove();
  await upstream?.close();
});

describe("a proxy with a certificate and a role", () => {
  it("tells its decisions and takes over those of others", async () => {
    await proxies[0].admin("DELETE", `/v1/sessions/${idOf(1)}`);
    await proxies[1].admin("DELETE", `/v1/sessions/${idOf(2)}`);
    await untilStatus(proxies[1], idOf(1), 410);
    await untilStatus(proxies[0], idOf(2), 410);
  });

  it("tells named decisions, which all proxies may write, and may lift those of others", async () => {
    await proxies[0].admin("PUT", "/v1/revocations/shop.example", { body: {} });
    await eventually("it is revoked there", async () => assert.deepEqual(await revoked(proxies[1]), ["shop.example"]));
    await proxies[1].admin("DELETE", "/v1/revocations/shop.example");
    await eventually("it is lifted here", async () => assert.deepEqual(await revoked(proxies[0]), []));
  });

  it("sees the others present, makes the fleet's identity, and fails no call", async () => {
    await eventually("the identity is made", async () => {
      const { output } = await secure.control("edge-1", "get", `${PREFIX}/meta`, "--keys-only");
      assert.match(output, /meta/, "there is none");
    });
    await eventually("both are present", async () => {
      const { proxies: present, last_error: error } = await fleetState(proxies[0]);
      assert.deepEqual(present.map(({ name }) => name).sort(), ["edge-1", "edge-2"], "not both are present");
      assert.equal(error, null);
    });
  });
});

describe("the certificate of a proxy", () => {
  it("reads the fleet's part of etcd, and nothing else", async () => {
    const read = await secure.control("edge-1", "get", `${PREFIX}/p/edge-2`, "--keys-only");
    assert.equal(read.exitCode, 0, read.output);
    assert.match(read.output, /p\/edge-2/);
    denied(await secure.control("edge-1", "get", "/tls_session_cache/1/other/meta"));
    denied(await secure.control("edge-1", "get", "", "--prefix"));
  });

  const writes: [string, string[]][] = [
    ["write a decision as another proxy", ["put", `${PREFIX}/d/edge-2/0000000000/0.0`, "x"]],
    ["write a session as another proxy", ["put", `${PREFIX}/s/edge-2/0000000000/0.0`, "x"]],
    ["write as a proxy whose name begins with its own", ["put", `${PREFIX}/d/edge-10/0000000000/0.0`, "x"]],
    ["be present as another proxy", ["put", `${PREFIX}/p/edge-2`, "x"]],
    ["delete what another proxy has told", ["del", `${PREFIX}/d/edge-2/`, "--prefix"]],
    ["delete what all have told", ["del", `${PREFIX}/`, "--prefix"]],
    ["write elsewhere in etcd", ["put", "/elsewhere", "x"]],
    ["give itself a role", ["user", "grant-role", "edge-1", "root"]],
  ];
  for (const [what, command] of writes) {
    it(`cannot ${what}`, async () => denied(await secure.control("edge-1", ...command)));
  }

  it("is needed", async () => {
    const { exitCode } = await secure.control(null, "get", `${PREFIX}/meta`, "--command-timeout=2s");
    assert.notEqual(exitCode, 0, "etcd serves somebody without a certificate");
  });
});

describe("a proxy with a certificate and without a role", () => {
  it("serves, shows that etcd denies, and takes part once it has a role", async () => {
    const alone = await start("edge-3", false);
    try {
      await eventually("it shows the denial", async () => {
        const state = await fleetState(alone);
        assert.equal(state.state, "connecting", JSON.stringify(state));
        assert.equal(state.last_error?.status, PERMISSION_DENIED, JSON.stringify(state));
        assert.match(state.last_error?.text ?? "", /permission denied/);
      });
      const { resumed } = await visit({ port: alone.tlsPort, sni: "shop.example" });
      assert.equal(resumed, false);
      await alone.admin("DELETE", `/v1/sessions/${idOf(3)}`);
      assert.equal(await statusOf(alone, idOf(3)), 410);
      assert.equal(await statusOf(proxies[0], idOf(3)), 404);

      await secure.giveRoles(["edge-1", "edge-2", "edge-3"]);
      await untilStatus(proxies[0], idOf(3), 410, RECOVERY_SECONDS);
      await untilStatus(alone, idOf(1), 410, RECOVERY_SECONDS);
      assert.equal((await fleetState(alone)).state, "following");
    } finally {
      await alone.stop();
    }
  });

  it("goes on alone when its role is taken, and tells the rest when it has it again", async () => {
    await secure.control("root", "user", "revoke-role", "edge-2", "tls-session-cache-edge-2");
    await proxies[1].admin("DELETE", `/v1/sessions/${idOf(4)}`);
    await eventually("it shows the denial", async () => {
      const { last_error: error, pending } = await fleetState(proxies[1]);
      assert.equal(error?.status, PERMISSION_DENIED, JSON.stringify(error));
      assert.ok(pending.decisions > 0, "nothing waits to be told");
    });
    assert.equal(await statusOf(proxies[1], idOf(4)), 410);
    assert.equal(await statusOf(proxies[0], idOf(4)), 404);
    await secure.giveRoles(["edge-2"]);
    await untilStatus(proxies[0], idOf(4), 410, RECOVERY_SECONDS);
  });
});

async function start(name: string, follows = true): Promise<Stack> {
  return await startProxy(secure.etcd, name, {
    upstreams: [upstream.address],
    tls: secure.certificateOf(name),
    follows,
  });
}

async function revoked(stack: Stack): Promise<string[]> {
  const { json } = await stack.admin("GET", "/v1/revocations");
  return (json as unknown as { revocations: { sni: string }[] }).revocations.map(({ sni }) => sni);
}

function denied({ exitCode, output }: { exitCode: number | null; output: string }): void {
  assert.notEqual(exitCode, 0, output);
  assert.match(output, /permission denied/);
}
