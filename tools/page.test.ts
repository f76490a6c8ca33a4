import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { pageOf } from "./page.ts";

const page = await pageOf();

test("the policy has the hashes of the page's one style and one script", () => {
  for (const [element, directive] of [
    ["style", "style-src"],
    ["script", "script-src"],
  ] as const) {
    const found = [...page.html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))];
    assert.equal(found.length, 1, element);
    const hash = createHash("sha256")
      .update(found[0]?.[1] ?? "")
      .digest("base64");
    assert.ok(page.policy.includes(`${directive} 'sha256-${hash}';`), `${directive} in ${page.policy}`);
  }
});

test("the page loads nothing, and has no handler or style in its markup", () => {
  const markup = page.html.replace(/<style>.*<\/style>|<script>.*<\/script>/gs, "");
  assert.doesNotMatch(markup, /\s(src|style|on\w+)\s*=/);
  assert.deepEqual(
    [...markup.matchAll(/href="([^:]*):/g)].map(([, scheme]) => scheme),
    ["data"],
  );
  assert.doesNotMatch(page.html, /@import|url\(|import\(/);
});

test("the same sources make the same page", async () => {
  assert.deepEqual(await pageOf(), page);
});
