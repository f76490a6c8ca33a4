import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { findEtcd, wheelOfEtcd } from "./etcd_binary.ts";
import { startEtcd } from "./etcd_process.ts";
import { answers, freePorts } from "./free_ports.ts";
import { assertRefused, standInProgram } from "./stand_in_program.ts";

const folder = mkdtempSync(join(tmpdir(), "etcd-"));
const environment = { ...process.env };

beforeEach(() => {
  process.env = { ...environment, ETCD_BIN: "" };
});
after(() => {
  process.env = environment;
  rmSync(folder, { recursive: true });
});

test("ETCD_BIN comes first, then etcd on PATH; one that is too old on PATH is passed over", async () => {
  process.env["ETCD_BIN"] = program("mine", "echo 'etcd Version: 3.6.4'");
  const lines: string[] = [];
  assert.equal(await findEtcd((line) => lines.push(line)), process.env["ETCD_BIN"]);
  assert.match(lines.join("\n"), /using etcd 3\.6\.4: /);

  process.env["ETCD_BIN"] = "";
  process.env["PATH"] = `${folder}:${environment["PATH"]}`;
  const younger = program("etcd", "echo 'etcd Version: 3.4.23'");
  assert.equal(await findEtcd(ignore), younger);
  const old = program("etcd", "echo 'etcd Version: 3.3.25'");
  assert.notEqual(await findEtcd((line) => lines.push(line)), old);
  assert.match(lines.join("\n"), /etcd is etcd 3\.3\.25, which is too old: passed over/);
});

test("ETCD_BIN that is missing, too old or not an etcd is refused on one line", async () => {
  const refused: [string, RegExp][] = [
    ["/nonexistent", /ETCD_BIN=\/nonexistent is not an executable file/],
    [folder, /is not an executable file/],
    [program("other", "echo etcetera 3.5"), /is not a working etcd/],
    [program("broken", "exit 127"), /is not a working etcd/],
    [program("old", "echo 'etcd Version: 3.3.25'"), /etcd 3\.3\.25 is too old: 3\.4 or newer is needed/],
  ];
  await assertRefused("ETCD_BIN", refused, () => findEtcd(ignore));
});

test("if no package fits, one line says to set ETCD_BIN", () => {
  assert.match(wheelOfEtcd({ platform: "linux", arch: "x64" }), /^[0-9a-f]{64}$/);
  assert.throws(
    () => wheelOfEtcd({ platform: "darwin", arch: "arm64" }),
    /^SetupError: there is no package of etcd for darwin arm64: .* set ETCD_BIN/,
  );
});

test("an etcd that is started serves, is gone when it is stopped, and goes on with its data", async () => {
  const binary = await findEtcd(ignore);
  const [clientPort, peerPort] = (await freePorts(2)) as [number, number];
  const options = { binary, folder: join(folder, "run"), clientPort, peerPort };
  const call = async (path: string, body: unknown): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${clientPort}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return await answer.text();
  };
  const first = await startEtcd(options);
  assert.match(await call("kv/put", { key: "a2V5", value: "dmFsdWU=" }), /revision/);
  await first.kill();
  assert.ok(!(await answers(clientPort)));
  const second = await startEtcd(options);
  try {
    assert.match(await call("kv/range", { key: "a2V5" }), /dmFsdWU=/);
    second.signal("SIGSTOP");
  } finally {
    await second.stop();
  }
  assert.ok(!(await answers(clientPort)));
});

test("an etcd that does not start is an error that names its log, and nothing is left of it", async () => {
  const [clientPort, peerPort] = (await freePorts(2)) as [number, number];
  const binary = await findEtcd(ignore);
  const options = { binary, folder: join(folder, "wrong"), clientPort, peerPort, flags: ["--no-such-flag"] };
  await assert.rejects(startEtcd(options), /^SetupError: etcd does not start: see .*etcd\.log/);
  assert.ok(!(await answers(clientPort)));
});

function program(name: string, script: string): string {
  return standInProgram(folder, name, script);
}

function ignore(): void {}
