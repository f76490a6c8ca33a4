/**
 * tls-sessions doctor: it finds each mistake of docs/use/mistakes.md that a configuration shows, before Envoy starts, and nothing in
 * configurations that are right. A running Envoy is looked at in the same way.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parseDocument } from "yaml";
import { examine } from "../../../tools/client/doctor/examine.ts";
import { documentsOf } from "../../../tools/client/doctor/file.ts";
import type { Finding } from "../../../tools/client/doctor/finding.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { MODULE_FILE, PROJECT_FOLDER } from "../../../tools/project.ts";
import { FULL_TOKEN } from "../../contract/client.ts";
import { mistaken } from "../../mistakes/attempt.ts";
import { MISTAKES } from "../../mistakes/mistakes.ts";
import { startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const UPSTREAMS = ["127.0.0.1:10501", "127.0.0.1:10502"];
const LAUNCHER = join(PROJECT_FOLDER, "tools", "client", "tls-sessions.mjs");
const RUN_SECONDS = 30;
const module = new WebAssembly.Module(readFileSync(MODULE_FILE));

function findingsIn(text: string, looksAtFiles = true): Finding[] {
  return documentsOf(text, "test").flatMap(
    ({ root }) => examine(root, module, { listIsInVmConfig: true, looksAtFiles }).findings,
  );
}

describe("doctor, of a file", () => {
  for (const mistake of MISTAKES) {
    const { what, see, doctor = see, unseen } = mistake;
    if (unseen !== undefined) continue;
    it(`finds: ${what}`, async () => {
      const findings = findingsIn(await mistaken(mistake, { upstreams: UPSTREAMS }, 10_999));
      const faults = findings.map(({ fault }) => fault);
      const expected = doctor.replace(/^configuration of the \w+ filter: /, "");
      const found = findings.filter(({ fault }) => fault.includes(expected));
      assert.ok(found.length > 0, `"${expected}" is not in:\n${faults.join("\n")}`);
      for (const { fault, yaml } of found) {
        assert.ok(yaml.length > 0, `no lines to put there: ${fault}`);
        assert.deepEqual(parseDocument(yaml.join("\n")).errors, [], yaml.join("\n"));
      }
    });
  }

  it("finds nothing in the mistakes that it is said not to see", async () => {
    for (const mistake of MISTAKES.filter(({ unseen }) => unseen !== undefined)) {
      assert.deepEqual(findingsIn(await mistaken(mistake, { upstreams: UPSTREAMS }, 10_999)), [], mistake.what);
    }
  });

  it("finds nothing in the shipped envoy.yaml", () => {
    assert.deepEqual(findingsIn(readFileSync(join(PROJECT_FOLDER, "envoy.yaml"), "utf8")), []);
  });

  it("finds nothing in the configurations of the documents", () => {
    let count = 0;
    for (const file of ["README.md", ...filesIn("docs")]) {
      const text = readFileSync(join(PROJECT_FOLDER, file), "utf8");
      const pieces = file.endsWith(".md")
        ? [...text.matchAll(/```ya?ml\n(.*?)```/gs)].map(([, yaml = ""]) => yaml)
        : [text];
      for (const piece of pieces) {
        // A file of another machine.
        assert.deepEqual(findingsIn(piece, false), [], `${file}:\n${piece}`);
        count++;
      }
    }
    assert.ok(count > 4, `only ${String(count)} pieces`);
  });

  it("says the line, the place, the fault and the lines to put there, and ends with 1", async () => {
    const text = readFileSync(join(PROJECT_FOLDER, "envoy.yaml"), "utf8").replace("lb_policy: MAGLEV", "");
    const line = text.split("\n").findIndex((one) => one.includes("- name: tls_upstreams")) + 1;
    const { code, out, err } = await run(["doctor", "-"], text);
    assert.deepEqual([code, err], [1, ""]);
    assert.equal(
      out,
      `-:${String(line)}: clusters[tls_upstreams]: lb_policy ROUND_ROBIN of cluster "tls_upstreams" does not hash, ` +
        "so steering by hash has no effect\n    lb_policy: MAGLEV\n1 finding\n",
    );
    const { findings } = JSON.parse((await run(["doctor", "-", "--json"], text)).out) as { findings: unknown[] };
    assert.equal(findings.length, 1);
  });

  it("says so if nothing is wrong, if no filter is there, and if it is not YAML", async () => {
    const whole = readFileSync(join(PROJECT_FOLDER, "envoy.yaml"), "utf8");
    assert.deepEqual(await run(["doctor", "-"], whole), { code: 0, out: "nothing is half done\n", err: "" });
    const none = await run(["doctor", "-"], "static_resources: { listeners: [] }\n");
    assert.match(none.out, /^-:1: no filter of the session cache is here; tls-sessions config writes one\n/);
    const broken = await run(["doctor", "-"], "a: [1\n");
    assert.deepEqual([broken.code, broken.out], [2, ""]);
    assert.match(broken.err, /^error: -:\d+: not YAML: .*\n$/);
  });

  it("looks into the envoy.yaml of a ConfigMap, and counts its lines there", async () => {
    const piece = "static_resources:\n  listeners: []\n".replace(/^/gm, "    ");
    const { out } = await run(["doctor", "-"], `kind: ConfigMap\ndata:\n  envoy.yaml: |\n${piece}`);
    assert.match(out, /no filter of the session cache is here/);
  });
});

describe("doctor, of a running Envoy", () => {
  let upstream: DemoUpstream;
  before(async () => (upstream = await startDemoUpstream({ name: "alpha", tickets: true })));
  after(() => upstream?.close());

  it("finds nothing if all is well", async () => {
    const stack = await startStack({ upstreams: [upstream.address], concurrency: 1 });
    try {
      await visit({ port: stack.tlsPort });
      const { code, out, err } = await examined(stack);
      assert.deepEqual([code, out, err], [0, "nothing is half done\n", ""]);
    } finally {
      await stack.stop();
    }
  });

  it("finds what its configuration lacks, and servers that are away", async () => {
    const stack = await startStack({
      upstreams: ["127.0.0.1:1"],
      steering: "hash",
      concurrency: 1,
      change: (document) => document.deleteIn(["static_resources", "clusters", 0, "lb_policy"]),
    });
    try {
      for (let i = 0; i < 3; i++) await assert.rejects(visit({ port: stack.tlsPort }));
      const { code, out } = await examined(stack);
      assert.equal(code, 1, out);
      assert.match(out, /clusters\[tls_upstreams\]: lb_policy ROUND_ROBIN of cluster "tls_upstreams" does not hash/);
      assert.match(out, /no server of the cluster "tls_upstreams" takes a connection/);
    } finally {
      await stack.stop();
    }
  });

  function examined(stack: { adminPort: number; envoyAdminPort: number }): Promise<Ended> {
    const [proxy, admin] = [stack.adminPort, stack.envoyAdminPort].map((port) => `http://127.0.0.1:${String(port)}`);
    return run(["doctor", "--envoy-admin", String(admin), "--proxy", String(proxy)]);
  }
});

function filesIn(folder: string): string[] {
  return readdirSync(join(PROJECT_FOLDER, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(md|ya?ml)$/.test(name))
    .map((name) => join(folder, name));
}

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function run(args: string[], input = ""): Promise<Ended> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, TLS_SESSIONS_TOKEN: FULL_TOKEN, TLS_SESSIONS_PROXY: "", NODE_TEST_CONTEXT: undefined },
    timeout: RUN_SECONDS * 1000,
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}
