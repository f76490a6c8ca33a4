/** Which proxies and which token the arguments and the environment mean. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { UsageError } from "./client_error.ts";
import { DEFAULT_PROXY, chosenProxies } from "./proxies.ts";
import { chosenToken } from "./token.ts";

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), "tls-sessions-"))));
after(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = join(folder, "file");
  writeFileSync(file, text);
  return file;
}

describe("the proxies", () => {
  it("are the local one, or that of the environment, unless options name others", () => {
    assert.deepEqual(chosenProxies({ urls: [], file: null, fromEnvironment: undefined }), [DEFAULT_PROXY]);
    assert.deepEqual(chosenProxies({ urls: [], file: null, fromEnvironment: "https://edge:1/" }), ["https://edge:1"]);
    assert.deepEqual(chosenProxies({ urls: ["http://a:1"], file: null, fromEnvironment: "http://b:1" }), [
      "http://a:1",
    ]);
  });

  it("of options and of a file add up, each once", () => {
    const file = fileOf("# all\r\nhttp://a:1/  # first\n\nhttp://b:2/prefix/\n");
    const proxies = chosenProxies({ urls: ["http://c:3", "http://a:1"], file, fromEnvironment: undefined });
    assert.deepEqual(proxies, ["http://c:3", "http://a:1", "http://b:2/prefix"]);
  });

  for (const url of ["127.0.0.1:10080", "localhost:10080", "ftp://a", "http://user:secret@a", "http://a?x", ""]) {
    it(`are not "${url}"`, () => {
      assert.throws(
        () => chosenProxies({ urls: [url], file: null, fromEnvironment: undefined }),
        (error) => error instanceof UsageError && error.message.includes(DEFAULT_PROXY),
      );
    });
  }

  it("are not in a file that is empty or missing", () => {
    for (const file of [fileOf("# nothing\n"), join(folder, "missing")]) {
      assert.throws(() => chosenProxies({ urls: [], file, fromEnvironment: undefined }), UsageError);
    }
  });
});

describe("the token", () => {
  it("is that of the environment, else the file's, else none", () => {
    const file = fileOf("from-file\n");
    assert.equal(chosenToken("from-environment", file), "from-environment");
    assert.equal(chosenToken("", file), "from-file");
    assert.equal(chosenToken(undefined, null), null);
  });

  it("is never repeated by an error", () => {
    for (const choose of [() => chosenToken("secret one", null), () => chosenToken("", fileOf("secret\ntwo"))]) {
      assert.throws(choose, (error) => error instanceof UsageError && !error.message.includes("secret"));
    }
  });
});
