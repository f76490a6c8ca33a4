import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../demo/upstream.ts";
import { PROJECT_FOLDER } from "../project.ts";
import { answers } from "./free_ports.ts";
import { haproxyVersion, startHaproxy, STICK_TABLE } from "./haproxy.ts";

const skip = haproxyVersion() === null && "haproxy is not installed";

describe("HAProxy", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "haproxy-"));
  let upstream: DemoUpstream;

  before(async () => {
    upstream = await startDemoUpstream({ name: "alpha", tickets: false });
  });
  after(async () => {
    await upstream?.close();
    rmSync(folder, { recursive: true });
  });

  for (const hasStickTable of [false, true]) {
    it(`starts and stops ${hasStickTable ? "with" : "without"} a stick table`, async () => {
      const options = { folder, workers: 2, servers: [upstream.address], hasStickTable, idleSeconds: 30 };
      const haproxy = await startHaproxy({ ...options, maxConnections: 100 });
      assert.ok(await answers(haproxy.port));
      await haproxy.stop();
      assert.ok(!(await answers(haproxy.port)));
    });
  }

  it("that does not start is an error with the command to see why", async () => {
    const options = { folder, workers: 2, servers: ["no address"], hasStickTable: false, idleSeconds: 30 };
    await assert.rejects(startHaproxy(options), /HAProxy does not start: haproxy -f .*haproxy\.cfg -db/);
  });
});

it("the stick table of docs/use/migrating.md is the one that runs", () => {
  const page = readFileSync(join(PROJECT_FOLDER, "docs", "use", "migrating.md"), "utf8");
  assert.ok(page.includes(STICK_TABLE), STICK_TABLE);
});
