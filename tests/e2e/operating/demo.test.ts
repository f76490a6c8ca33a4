/** `npm run demo`: without a terminal it tells its story in lines and ends; on a terminal it draws, and q ends it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { STORY } from "../../../tools/demo/stage/story.ts";
import { PROJECT_FOLDER } from "../../../tools/project.ts";

const LIMIT_SECONDS = 90;
const DEMO = [process.execPath, "tools/bootstrap.mjs", "tools/demo/stage/main"];

describe("npm run demo", () => {
  it("without a terminal shows each effect, and ends by itself", async () => {
    const { code, out } = await run(DEMO);
    assert.equal(code, 0, out);
    assert.equal(out.match(/^=> /gm)?.length, STORY.length, out);
    assert.match(out, /^\$ tls-sessions remove [0-9a-f]{64}\n[0-9a-f]{12}…: removed, /m);
    assert.match(out, /^\$ tls-sessions revoke shop\.example\nshop\.example: revoked until /m);
  });

  it("on a terminal draws the servers with their clients, and q ends it", async () => {
    const line = `stty rows 30 cols 90; ${DEMO.map((word) => `'${word}'`).join(" ")}`;
    const { code, out } = await run(["script", "-qfec", line, "/dev/null"], /demo-4 .*●[^]*PER SECOND/);
    assert.equal(code, 0, out.slice(-400));
    assert.match(out, /18 clients -> Envoy with the filter -> 4 servers/);
    assert.ok(out.includes("\u001b[?25h\u001b[?1049l"), "it gives the terminal back");
  });
});

/** `q` is pressed once the output matches. */
function run([command = "", ...args]: string[], until?: RegExp): Promise<{ code: number | null; out: string }> {
  const child = spawn(command, args, {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, CI: "", NO_COLOR: "1", NODE_TEST_CONTEXT: undefined },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: LIMIT_SECONDS * 1000,
  });
  let out = "";
  let isPressed = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (isPressed || until === undefined || !until.test(out)) return;
    isPressed = true;
    child.stdin.write("q");
  });
  if (until === undefined) child.stdin.end();
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out })));
}
