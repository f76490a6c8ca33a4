import assert from "node:assert/strict";
import { test } from "node:test";
import { commandBlocks, promisedOutcome, promisedStatus, runsChecks, startCommand } from "./command_blocks.ts";

test("blocks of commands are found with their lines, and others are not", () => {
  const document = ["# Title", "```sh", "one", "", "two", "```", "```json", "{}", "```", "```bash", "three", "```"];
  assert.deepEqual(commandBlocks(document.join("\n")), [
    { line: 3, lines: ["one", "", "two"], reason: null },
    { line: 11, lines: ["three"], reason: null },
  ]);
});

test("a comment in front of a block says why it is not run, and speaks for that block only", () => {
  const document = ["<!-- not run: needs Docker -->", "", "```sh", "docker", "```", "```sh", "run", "```"];
  assert.deepEqual(
    commandBlocks(document.join("\n")).map(({ reason }) => reason),
    ["needs Docker", null],
  );
});

test("a comment without a reason, or with other text behind it, keeps no block from being run", () => {
  for (const lines of [["<!-- not run: -->"], ["<!-- not run -->"], ["<!-- not run: Docker -->", "Some text."]]) {
    const [block] = commandBlocks([...lines, "```sh", "x", "```"].join("\n"));
    assert.equal(block?.reason, null, lines.join());
  }
});

test("a line that starts everything is known, with its variables", () => {
  assert.deepEqual(startCommand("npm start   # builds"), { variables: {} });
  assert.deepEqual(startCommand("ADMIN_TOKEN=a STEERING=off npm start"), {
    variables: { ADMIN_TOKEN: "a", STEERING: "off" },
  });
  for (const line of ["npm started", "npm run start", "echo npm start"]) assert.equal(startCommand(line), null, line);
});

test("a line that runs checks is known", () => {
  for (const line of ["npm test", "npm test -- unit page", "npm run test:e2e"]) assert.ok(runsChecks(line), line);
  for (const line of ["npm start", "npm run build", "npm tests"]) assert.ok(!runsChecks(line), line);
});

test("a promise behind a call is its status and its outcome", () => {
  const promised = (comment: string): unknown[] => {
    const line = `curl -s $api/v1/sessions/c0ffee   # ${comment}`;
    return [promisedStatus(line), promisedOutcome(line)];
  };
  assert.deepEqual(promised('add: 201, result 1, "added"'), [201, "added"]);
  assert.deepEqual(promised('200, result 1, "removed", "handles": 1'), [200, "removed"]);
  assert.deepEqual(promised("410: removed, and still refused"), [410, null]);
  assert.deepEqual(promised('page by page; "next" is the cursor'), [null, null]);
  assert.deepEqual(promised("503 if nobody refuses"), [null, null]);
  assert.deepEqual(promisedStatus("curl http://127.0.0.1/404, x"), null);
});
