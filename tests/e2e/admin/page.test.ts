/**
 * The page of the admin listener, from a real Envoy in a real browser: as an operator uses it, with the keyboard alone, on a phone, in
 * both schemes, and with text that an attacker has chosen in every field.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { startBrowser } from "../../../tools/browser.ts";
import { MAX_PAGE_LENGTH } from "../../../tools/page.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { FULL_TOKEN, READ_TOKEN, freshId, freshKeyName } from "../../contract/client.ts";
import { accessibilityFaults, openTab, signIn, type Tab } from "../../support/browser_tab.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const VIEWS = ["overview", "sessions", "removed", "keys", "revocations", "events", "filters", "settings"];
const HTML = { accept: "text/html", "accept-encoding": "gzip" };
const PHONE = { width: 360, height: 740 };
const ROWS = 50;
const SESSIONS = 2_000;
const KEY = freshKeyName();
const ATTACKS = [
  `<script>reportViolation("script")</script>.example`,
  `<img src=x onerror='reportViolation("image")'>.example`,
  `"><svg onload=reportViolation("svg")>'"\`.example`,
  "\u202eelpmaxe.live\u2066\u0007\u001b[31m.example",
  `javascript:reportViolation("link")//%3Cscript%3E&lt;b&gt;{{7*7}}`,
  "x".repeat(255),
];

let upstream: DemoUpstream;
let stack: Stack;
let browser: Browser;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  [stack, browser] = await Promise.all([startStack({ upstreams: [upstream.address] }), startBrowser(() => undefined)]);
  const numbers = Array.from({ length: SESSIONS }, (_, number) => number);
  await inParallel(numbers, 16, async (number) => {
    const sni = number % 700 === 7 ? "rare.example" : "many.example";
    const { status } = await stack.admin(
      "PUT",
      `/v1/sessions/${freshId()}?sni=${sni}&kind=ticket&upstream=10.0.0.7:443`,
    );
    assert.equal(status, 201);
  });
  for (const sni of ATTACKS) await attack(sni);
  await stack.admin("PUT", `/v1/ticket-keys/${KEY}?upstream=10.0.0.7:443`);
});

after(async () => {
  await browser?.close();
  await stack?.stop();
  await upstream?.close();
});

/** The name in a held session, in a removed one, in a revocation, in events, and in a handshake. */
async function attack(sni: string): Promise<void> {
  const name = encodeURIComponent(sni);
  for (const [method, path] of [
    ["PUT", `/v1/sessions/${freshId()}?sni=${name}`],
    ["PUT", `/v1/revocations/${name}`],
  ] as const) {
    assert.equal((await stack.admin(method, path)).status, 201, sni);
  }
  const id = freshId();
  await stack.admin("PUT", `/v1/sessions/${id}?sni=${name}`);
  await stack.admin("DELETE", `/v1/sessions/${id}`);
  if (!/[\u0000-\u001f]/.test(sni)) await visit({ port: stack.tlsPort, version: "TLSv1.2", sni });
}

async function inTab(options: Partial<Parameters<typeof openTab>[1]>, act: (tab: Tab) => Promise<void>): Promise<void> {
  const tab = await openTab(browser, { port: stack.adminPort, ...options });
  try {
    await act(tab);
  } catch (error) {
    await tab.page.context().close();
    throw error;
  }
  await tab.close();
}

const button = (page: Page, name: string | RegExp): ReturnType<Page["getByRole"]> => page.getByRole("button", { name });
const dialogButton = (page: Page, name: string): ReturnType<Page["getByRole"]> =>
  page.getByRole("dialog").getByRole("button", { name, exact: true });
const notice = (page: Page, text: string | RegExp): Promise<void> => page.locator(".notice").getByText(text).waitFor();

/** Presses the buttons of an export; the file comes as a download. */
async function exportFile(page: Page): Promise<void> {
  await button(page, "Export removals …").click();
  await dialogButton(page, "Save the file").click();
}

async function importFile(page: Page, text: string): Promise<void> {
  await button(page, "Import removals …").click();
  const file = { name: "removals.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from(text) };
  await page.getByRole("dialog").getByLabel("File").setInputFiles(file);
  await dialogButton(page, "Import").click();
}

describe("GET /", () => {
  it("is compressed, small, and needs no token", async () => {
    const response = await fetch(`http://127.0.0.1:${stack.adminPort}/`, { headers: HTML });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.match(response.headers.get("content-type") ?? "", /^text\/html; charset=utf-8$/);
    assert.match(await response.text(), /^<!doctype html>.*<title>TLS sessions<\/title>/s);
    const { headers } = await stack.admin("HEAD", "/", { token: null, headers: HTML });
    const length = Number(headers["content-length"]);
    assert.ok(length > 10_000 && length <= MAX_PAGE_LENGTH, `${length} bytes`);
  });

  it("says by its tag whether a browser has it", async () => {
    const first = await stack.admin("HEAD", "/", { token: null, headers: HTML });
    assert.equal(first.headers["cache-control"], "no-cache");
    const again = { ...HTML, "if-none-match": first.headers.etag ?? "" };
    assert.equal((await stack.admin("GET", "/", { token: null, headers: again })).status, 304);
  });

  it("is 406 without gzip, and no path of the API for programs", async () => {
    const plain = { accept: "*/*", "accept-encoding": "identity" };
    const answer = await stack.admin("GET", "/", { token: null, headers: plain });
    assert.deepEqual([answer.status, answer.json.status], [406, 406]);
    assert.equal((await stack.admin("GET", "/", { token: null })).status, 401);
    assert.equal((await stack.admin("GET", "/")).status, 404);
  });

  it("has a policy that the browser enforces", async () => {
    const { headers } = await stack.admin("HEAD", "/", { token: null, headers: HTML });
    const policy = headers["content-security-policy"] ?? "";
    assert.match(
      policy,
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; img-src data:; connect-src 'self';/,
    );
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    const tab = await openTab(browser, { port: stack.adminPort });
    await tab.page.evaluate(async () => {
      const violation = new Promise((resolve) => addEventListener("securitypolicyviolation", resolve));
      const image = document.createElement("img");
      image.src = "http://127.0.0.1:1/x.png";
      document.body.append(image);
      await violation;
    });
    await assert.rejects(tab.close(), /policy: img-src http:/);
  });
});

describe("the page", () => {
  it("asks for the token, says when it is wrong, and keeps it in memory alone", async () => {
    await inTab({ token: null }, async ({ page, requests }) => {
      await page.getByLabel("Token").fill("wrong");
      await button(page, "Open").click();
      await page.getByText("This is not a token of the proxy.").waitFor();
      await signIn(page, FULL_TOKEN);
      await page.getByRole("link", { name: /^Sessions/ }).click();
      await page.getByText("Sessions 1–50").waitFor();
      const kept = await page.evaluate(async () =>
        JSON.stringify([
          { ...localStorage },
          { ...sessionStorage },
          document.cookie,
          location.href,
          history.state as unknown,
          await indexedDB.databases(),
          await caches.keys(),
          document.documentElement.outerHTML,
        ]),
      );
      assert.ok(!kept.includes(FULL_TOKEN), "the token is kept somewhere");
      assert.deepEqual(JSON.parse(kept).slice(0, 3), [{}, {}, ""]);
      assert.deepEqual(await page.context().cookies(), []);
      await button(page, "Forget the token").click();
      await page.getByLabel("Token").waitFor();
      assert.equal(await page.getByLabel("Token").inputValue(), "");
      const asked = requests.length;
      await page.waitForTimeout(2_300);
      assert.equal(requests.length, asked, "it asks on after the token is forgotten");
    });
  });

  it("needs no token if the API needs none", async () => {
    const before = async (page: Page): Promise<void> => {
      await page.route("**/v1/**", (route) =>
        route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${FULL_TOKEN}` } }),
      );
    };
    await inTab({ token: null, before }, async ({ page }) => {
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    });
  });

  it("offers no change to a token that may only read", async () => {
    await inTab({ token: READ_TOKEN }, async ({ page, show }) => {
      await page.getByText("This token may only read.").waitFor();
      for (const view of VIEWS) {
        await show(view);
        assert.equal(
          await page
            .locator("main")
            .getByRole("button", { name: /Remove|Undo|Lift|Revoke|Change|Configure|Import/ })
            .count(),
          0,
          view,
        );
      }
    });
  });

  it("shows live figures, and draws them", async () => {
    await inTab({}, async ({ page }) => {
      const first = await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "live.example" });
      for (let turn = 0; turn < 9; turn++) {
        await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "live.example", session: first.session });
      }
      const legend = page.getByRole("region", { name: "Resumption" }).locator(".legend");
      await legend.getByText(/Ticket (100|[5-9]\d\.\d) %/).waitFor();
      await page.locator("polyline.ticket[points*=' ']").waitFor({ state: "attached" });
      const row = page.getByRole("row", { name: /^Ticket / });
      await row.getByText(/\+9/).first().waitFor();
      const plot = page.getByRole("group", { name: /^Handshakes per second/ });
      await plot.focus();
      await page.keyboard.press("ArrowLeft");
      await page.getByText(/^\d\d:\d\d:\d\d: Resumed .*, Full /).waitFor({ state: "attached" });
      await page.getByRole("link", { name: upstream.address }).click();
      await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
      assert.equal(await page.getByLabel("Upstream").inputValue(), upstream.address);
    });
  });

  it("shows what each upstream has lost, and leads to what was refused of it", async () => {
    const first = await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "refused.example" });
    await stack.admin("DELETE", `/v1/sessions/${first.id}`);
    const again = visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "refused.example", session: first.session });
    await assert.rejects(again, /ALERT|alert/);
    await eventually("the count is written", async () => {
      const { json } = await stack.admin("GET", "/v1/upstreams");
      const rows = json.upstreams as { upstream: string; refused: number }[];
      const refused = rows.find((row) => row.upstream === upstream.address)?.refused ?? 0;
      assert.ok(refused > 0, "no refusal yet");
    });
    await inTab({}, async ({ page }) => {
      const table = page.getByRole("table", { name: "Sessions by upstream" });
      const cells = table.getByRole("row", { name: upstream.address }).getByRole("cell");
      const names = await table.getByRole("columnheader").allTextContents();
      assert.equal(await cells.nth(names.indexOf("Lost")).textContent(), "0");
      await cells.nth(names.indexOf("Refused")).getByRole("link").click();
      await page.getByRole("heading", { level: 1, name: "Events" }).waitFor();
      await page.getByRole("cell", { name: "refused.example" }).first().waitFor();
    });
  });

  it("goes through a large cache page by page, and never asks for more", async () => {
    await inTab({}, async ({ page, show, requests }) => {
      await show("sessions");
      const seen = new Set<string>();
      for (let turn = 1; turn <= 8; turn++) {
        await page.getByText(`Sessions ${((turn - 1) * ROWS + 1).toLocaleString("en-US")}–${turn * ROWS}`).waitFor();
        const ids = await page
          .locator("tbody code")
          .evaluateAll((cells) => cells.map((cell) => cell.getAttribute("title") ?? ""));
        assert.equal(ids.length, ROWS);
        for (const id of ids) seen.add(id);
        await button(page, "Next").click();
      }
      assert.equal(seen.size, 8 * ROWS, "a row comes twice");
      await page.getByText("Sessions 401–450").waitFor();
      await button(page, "Back").click();
      await page.getByText("Sessions 351–400").waitFor();
      const again = await page.locator("tbody code").first().getAttribute("title");
      assert.ok(again !== null && seen.has(again), "the page before is another one");

      await page.getByLabel("Server name").fill("Rare.Example");
      await button(page, "Search").click();
      await page.getByText("3 sessions").waitFor();
      const limits = requests.flatMap((path) => /^\/v1\/sessions\?.*limit=(\d+)/.exec(path)?.[1] ?? []);
      assert.ok(limits.length > 9 && limits.every((limit) => Number(limit) <= ROWS), limits.join(" "));
    });
  });

  it("searches on through a cache of millions, of which a call looks at a part", async () => {
    await inTab({}, async ({ page, show }) => {
      // Answers within the tab: so many calls of a real cache would need a million sessions.
      await page.evaluate((parts) => {
        const real = window.fetch.bind(window);
        let calls = 0;
        window.fetch = (input, init) => {
          if (!String(input).startsWith("/v1/sessions?")) return real(input, init);
          const next = ++calls < parts ? `part-${calls}` : null;
          return Promise.resolve(Response.json({ sessions: [], next }));
        };
      }, 400);
      await show("sessions?sni=nobody.example");
      await page.getByText("No session matches.").waitFor();
    });
  });

  it("removes a session with the keyboard alone, and undoes it", async () => {
    const id = freshId();
    await stack.admin("PUT", `/v1/sessions/${id}?sni=keys.example`);
    const status = async (): Promise<number> => (await stack.admin("GET", `/v1/sessions/${id}`)).status;
    await inTab({ token: null }, async ({ page }) => {
      const { keyboard } = page;
      const tabTo = async (name: RegExp): Promise<void> => {
        for (let turn = 0; turn < 60; turn++) {
          const at = await page.evaluate(() => {
            const element = document.activeElement as HTMLInputElement | null;
            return element?.labels?.[0]?.textContent ?? element?.textContent ?? "";
          });
          if (name.test(at)) return;
          await keyboard.press("Tab");
        }
        assert.fail(`no way to ${String(name)} by the Tab key`);
      };
      await tabTo(/^Token/);
      await keyboard.type(FULL_TOKEN);
      await keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await tabTo(/^Sessions/);
      await keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
      await tabTo(/^Server name/);
      await keyboard.type("keys.example");
      await keyboard.press("Enter");
      await page.getByText("1 session", { exact: true }).waitFor();
      await tabTo(/^Remove [0-9a-f]{12}$/);
      await keyboard.press("Enter");
      await page.getByRole("dialog", { name: "Remove this session?" }).waitFor();
      await keyboard.press("Escape");
      assert.equal(await status(), 200);
      await tabTo(/^Remove [0-9a-f]{12}$/);
      await keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await tabTo(/^Remove$/);
      await keyboard.press("Enter");
      await notice(page, /^1 session removed\. Enforced by 1 observer and 1 guard\.$/);
      assert.equal(await status(), 410);
      assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ""), /^Undo the removal of /);
      await keyboard.press("Enter");
      await notice(page, "1 session put back, as it was before.");
      assert.equal(await status(), 200);
    });
  });

  it("removes some, removes all that match, and undoes that", async () => {
    const ids = Array.from({ length: 5 }, () => freshId());
    for (const id of ids) await stack.admin("PUT", `/v1/sessions/${id}?sni=bulk.example&kind=id`);
    await inTab({}, async ({ page, show }) => {
      await show("sessions");
      await page.getByLabel("Server name").fill("bulk.example");
      await button(page, "Search").click();
      await page.getByText("5 sessions").waitFor();
      for (const box of (await page.getByRole("checkbox", { name: /^Choose [0-9a-f]{12}/ }).all()).slice(0, 2))
        await box.check();
      await page.getByRole("button", { name: "Remove 2", exact: true }).click();
      await dialogButton(page, "Remove 2").click();
      await page.getByText("3 sessions").waitFor();
      await button(page, "Remove matching …").click();
      assert.equal(await page.getByRole("dialog").getByLabel("Server name").inputValue(), "bulk.example");
      await dialogButton(page, "Count them").click();
      await page.getByText(/^3 sessions match\./).waitFor();
      assert.equal((await stack.sessions("&sni=bulk.example")).length, 3, "counting removes nothing");
      await dialogButton(page, "Remove 3 sessions").click();
      await notice(page, /^3 sessions removed \(3 handles\)\./);
      await show("removed?sni=bulk.example");
      await page.getByRole("checkbox", { name: "Choose all rows of this page" }).check();
      await button(page, "Undo 5").click();
      await notice(page, "5 sessions put back, as they were before.");
      const restored = await stack.sessions("&sni=bulk.example");
      assert.deepEqual(
        restored.map(({ kind }) => kind),
        ["id", "id", "id", "id", "id"],
      );
    });
  });

  it("removes ticket keys, seen or not, and revokes server names", async () => {
    const unseen = freshKeyName();
    await inTab({}, async ({ page, show }) => {
      await show("keys");
      await page
        .getByRole("row", { name: new RegExp(KEY) })
        .getByRole("button")
        .click();
      await dialogButton(page, "Remove the key").click();
      await page.getByRole("row", { name: new RegExp(`${KEY} Removed`) }).waitFor();
      await page
        .getByRole("row", { name: new RegExp(KEY) })
        .getByRole("button", { name: /^Lift/ })
        .click();
      await page.getByRole("row", { name: new RegExp(`${KEY} Learned`) }).waitFor();
      await button(page, "Remove by name …").click();
      await page.getByLabel("Name of the key").fill(unseen);
      await dialogButton(page, "Go on").click();
      await dialogButton(page, "Remove the key").click();
      await page.getByRole("row", { name: new RegExp(`${unseen} Removed`) }).waitFor();
      await show("revocations");
      await page.getByRole("textbox", { name: "Server name" }).fill("leaked.example");
      await button(page, "Revoke …").click();
      await dialogButton(page, "Revoke").click();
      const row = page.getByRole("row", { name: /^leaked\.example/ });
      await row.getByRole("button", { name: /^Lift/ }).click();
      await dialogButton(page, "Lift").click();
      await row.waitFor({ state: "detached" });
    });
  });

  it("saves removals as a file, and takes them in again after they were lifted", async () => {
    const [id, key, sni] = [freshId(), freshKeyName(), "moved.example"];
    const states = async (): Promise<unknown[]> => {
      const session = await stack.admin("GET", `/v1/sessions/${id}`);
      const keys = (await stack.admin("GET", "/v1/ticket-keys")).json.ticket_keys as { name: string; state: string }[];
      const names = (await stack.admin("GET", "/v1/revocations")).json.revocations as { sni: string }[];
      return [
        session.status,
        keys.find(({ name }) => name === key)?.state === "removed",
        names.some((one) => one.sni === sni),
      ];
    };
    await stack.admin("PUT", `/v1/sessions/${id}?sni=${sni}`);
    for (const path of [`sessions/${id}`, `ticket-keys/${key}`]) await stack.admin("DELETE", `/v1/${path}`);
    await stack.admin("PUT", `/v1/revocations/${sni}`);
    assert.deepEqual(await states(), [410, true, true]);
    let text = "";
    await inTab({ token: READ_TOKEN }, async ({ page, show }) => {
      await show("removed");
      const [download] = await Promise.all([page.waitForEvent("download"), exportFile(page)]);
      assert.match(download.suggestedFilename(), /^removals-127\.0\.0\.1-\d+-\d{4}-\d\d-\d\d\.ndjson$/);
      text = readFileSync(await download.path(), "utf8");
      await notice(page, /^Saved: \d+ removed sessions, [1-9]\d* ticket keys?, [1-9]\d* revocations?\.$/);
    });
    const lines = text.trimEnd().split("\n");
    const removed = lines.filter((line) => line.startsWith('{"removed"')).map((line) => line.slice(0, 100));
    assert.equal(new Set(removed).size, (await stack.admin("GET", "/v1/stats")).json.tombstones, "each of them, once");
    assert.ok(!text.includes('"state":"learned"'), "a key that was only seen is no removal");
    assert.equal(lines.at(-1), '{"next":null}');
    await stack.admin("PUT", `/v1/sessions/${id}`);
    await stack.admin("PUT", `/v1/ticket-keys/${key}`);
    await stack.admin("DELETE", `/v1/revocations/${sni}`);
    assert.deepEqual(await states(), [200, false, false]);
    await inTab({}, async ({ page, show }) => {
      await show("removed");
      await importFile(page, `{"session":{}}\n${text}`);
      await notice(
        page,
        /^3 taken in, [\d,]+ in force already, [\d,]+ skipped\. Enforced by 1 observer and 1 guard\. Left out: 1 line of/,
      );
      await page.getByRole("row", { name: new RegExp(`${id.slice(0, 12)}.*${sni.replace(".", "\\.")}`) }).waitFor();
    });
    assert.deepEqual(await states(), [410, true, true]);
  });

  it("takes a long file in by parts, says how far it is, and stops if it is told to", async () => {
    const until = Math.floor(Date.now() / 1000) + 600;
    const lineOf = (): string =>
      `{"removed":{"id":"${freshId()}","time":${until - 600},"until":${until},"cause":"api"}}`;
    const text = Array.from({ length: 3_200 }, lineOf).join("\r\n");
    await inTab({}, async ({ page, show, requests }) => {
      await show("removed");
      let parts = 0;
      await page.route("**/v1/import", async (route) => {
        parts++;
        const body = route.request().postData() ?? "";
        assert.ok(Buffer.byteLength(body) <= 65_536 && body.endsWith("}}\n"), `${body.length} bytes`);
        if (parts === 2)
          await page.getByText(/^Importing … \d+(\.\d)? %: [\d,]+ taken in, 0 in force already, 0 skipped$/).waitFor();
        await route.continue();
      });
      await importFile(page, text);
      await notice(page, /^3,200 taken in, 0 in force already, 0 skipped\./);
      assert.ok(parts >= 3 && requests.filter((path) => path === "/v1/import").length === parts, `${parts} parts`);
      await page.unroute("**/v1/import");
      await page.route("**/v1/import", async (route) => {
        await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
        await route.continue();
      });
      await importFile(page, text);
      await notice(page, /^Stopped\. Importing … \d+(\.\d)? %: 0 taken in, [\d,]+ in force already, 0 skipped$/);
      assert.equal(requests.filter((path) => path === "/v1/import").length, parts + 1);
    });
  });

  it("says in one line why it does not take a file in, and what it has taken before", async () => {
    const line = (sni: string): string =>
      JSON.stringify({ removed: { id: freshId(), time: 1, until: 4_000_000_000, cause: "api", sni } });
    await inTab({}, async ({ page, show }) => {
      await show("removed");
      for (const [file, trouble] of [
        ["", /^the file has no removals$/],
        ['{"next":null}\n', /^the file has no removals$/],
        ["PK\u0003\u0004", /^line 1 is not a line of an export; before it: 0 taken in, /],
        ["x".repeat(70_000), /^line 1 is not a line of an export|^line 1 is longer than/],
        [
          `${line("a.example")}\n{"removed":{"id":"${ATTACKS[0] ?? ""}"}}`,
          /\(in the part that begins with line 1; before it: 0 taken/,
        ],
        [`${line("a.example")}\n\n${ATTACKS[1] ?? ""}`, /^line 3 is not a line of an export/],
      ] as const) {
        await importFile(page, file);
        const shown = page.getByRole("dialog").getByRole("status").and(page.locator(".trouble"));
        assert.match((await shown.textContent()) ?? "", trouble);
        await dialogButton(page, "Close").click();
      }
    });
  });

  it("changes mode, enforcement and size only after it has asked", async () => {
    await inTab({}, async ({ page, show }) => {
      await show("settings");
      const change = async (form: string): Promise<void> =>
        page.getByRole("form", { name: form }).getByRole("button", { name: "Change …" }).click();
      await page.getByRole("radio", { name: /^strict/ }).check();
      await change("Enforcement");
      await dialogButton(page, "Cancel").click();
      assert.equal((await stack.admin("GET", "/v1/enforcement")).json.enforcement, "revoked");
      // The form shows the value in force again.
      await page.getByRole("radio", { name: /^revoked/, checked: true }).waitFor();
      await page.getByRole("radio", { name: /^strict/ }).check();
      await change("Enforcement");
      await dialogButton(page, "Change").click();
      await notice(page, /^The enforcement is strict\. Enforced by /);
      await page.getByText("Live · enforcement: strict").waitFor();
      await stack.admin("PUT", "/v1/enforcement?enforcement=revoked");
      await page.getByRole("checkbox", { name: /^UPDATE_TIME/ }).check();
      await change("Mode");
      await dialogButton(page, "Change").click();
      await notice(page, "The mode is SERVER, UPDATE_TIME.");
      await stack.admin("PUT", "/v1/mode?mode=SERVER");
      await page.getByRole("form", { name: "Cache size" }).getByRole("spinbutton").fill("30000");
      await change("Cache size");
      await dialogButton(page, "Change").click();
      await notice(page, "The cache size is 30,000.");
      assert.equal((await stack.admin("GET", "/v1/cache-size")).json.cache_size, 30_000);
      await stack.admin("PUT", "/v1/cache-size?cache_size=20480");
    });
  });

  it("follows events, and shows of which clients they are", async () => {
    const { session, id } = await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "events.example" });
    await stack.admin("DELETE", `/v1/sessions/${id}`);
    await inTab({}, async ({ page, show }) => {
      await show("events?type=refused&sni=events.example&within=3600");
      await page.getByText("No event matches.").waitFor();
      await assert.rejects(visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "events.example", session }));
      const row = page.getByRole("row", { name: /Refused session events\.example .* 127\.0\.0\.1/ });
      await row.waitFor();
      await page.getByText("By client address", { exact: true }).click();
      await page.getByRole("row", { name: /^127\.0\.0\.1 1/ }).waitFor();
      await row.getByRole("link").click();
      await page
        .getByText(/removed/)
        .first()
        .waitFor();
      await button(page, "Undo the removal").click();
      await page.getByRole("row", { name: /events\.example/ }).waitFor();
    });
  });
});

describe("for everybody", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    it(`breaks no rule of accessibility in the ${colorScheme} scheme`, async () => {
      await inTab({ colorScheme, token: null }, async ({ page, show }) => {
        const check = async (where: string): Promise<void> => {
          assert.deepEqual(await accessibilityFaults(page), [], where);
        };
        await check("signing in");
        await signIn(page, FULL_TOKEN);
        for (const view of VIEWS) {
          // A few rows are as good as hundreds, and sooner checked.
          await show(view === "sessions" || view === "events" ? `${view}?sni=rare.example` : view);
          await check(view);
        }
        await show("sessions?sni=rare.example");
        await page
          .getByRole("button", { name: /details$/ })
          .first()
          .click();
        await check("a session");
        await page.keyboard.press("Escape");
        await button(page, "Remove matching …").click();
        await check("a removal");
        await page.keyboard.press("Escape");
        await show("removed");
        await button(page, "Import removals …").click();
        await check("an import");
        await dialogButton(page, "Import").focus();
        await page.keyboard.press("Escape");
        await show("sessions?sni=rare.example");
        await page.setViewportSize(PHONE);
        await check("sessions on a phone");
      });
    });
  }

  it("is never wider than a phone", async () => {
    await inTab({ viewport: PHONE }, async ({ page, show }) => {
      for (const view of VIEWS) {
        await show(view);
        const [whole, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.equal(whole, seen, view);
      }
      await show(`sessions?sni=${"x".repeat(255)}`);
      await page
        .getByRole("button", { name: /details$/ })
        .first()
        .click();
      const box = await page.getByRole("dialog").boundingBox();
      assert.ok(box !== null && box.x >= 0 && box.x + box.width <= PHONE.width, JSON.stringify(box));
    });
  });
});

describe("text of an attacker", () => {
  it("stays text in every view", async () => {
    await inTab({}, async ({ page, show }) => {
      for (const view of VIEWS) await show(view);
      await show("revocations");
      const shown = await page.locator("tbody bdi").allTextContents();
      const seen = "\\u{202e}elpmaxe.live\\u{2066}\\u{7}\\u{1b}[31m.example";
      for (const text of [...ATTACKS.slice(0, 3), seen])
        assert.ok(shown.includes(text.toLowerCase()), `${text} in ${shown.join("\n")}`);
      for (const sni of ATTACKS) {
        await show(`sessions?${String(new URLSearchParams({ sni }))}`);
        await page.getByText(/^[12] sessions?$/).waitFor();
        await page
          .getByRole("button", { name: /details$/ })
          .first()
          .click();
        await page.getByRole("dialog").waitFor();
        await page.keyboard.press("Escape");
      }
    });
  });

  it("stays text wherever an answer of the API may have it, and whatever the address says", async () => {
    let next = 0;
    const poisoned = (value: unknown, name = ""): unknown => {
      if (typeof value === "string") return name === "next" ? value : ATTACKS[next++ % ATTACKS.length];
      if (Array.isArray(value)) return value.map((item) => poisoned(item));
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, poisoned(member, key)]));
    };
    const fleet = {
      state: "following",
      name: "a",
      run: "b",
      since: 1,
      pending: {},
      told: { d: 1 },
      last_error: { time: 1, call: "Put", text: "x" },
    };
    const before = async (page: Page): Promise<void> => {
      await page.route("**/v1/fleet", (route) => route.fulfill({ json: poisoned({ ...fleet, proxies: [fleet] }) }));
      await page.route(/\/v1\/(?!fleet)/, async (route) => {
        const response = await route.fetch();
        const json = (await response.json()) as { steering?: object; never_resume?: string[] };
        if (json.steering !== undefined) {
          json.steering = { mode: "hash", effective: false, why: "x" };
          json.never_resume = ["x", "x", "x", "x", "x", "x"];
        }
        await route.fulfill({ response, json: poisoned(json) });
      });
    };
    await inTab({ before }, async ({ page, show }) => {
      for (const view of [...VIEWS, "fleet"]) await show(view);
      await show("sessions");
      await page
        .getByRole("button", { name: /details$/ })
        .first()
        .click();
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      for (const sni of ATTACKS) await show(`events?${String(new URLSearchParams({ sni, type: sni, id: "00" }))}`);
      await page.evaluate(() => (location.hash = "<img src=x onerror=reportViolation('hash')>?sni=%"));
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    });
  });
});

describe("the bytes of the page", () => {
  it("hold no address of another host", async () => {
    const response = await fetch(`http://127.0.0.1:${stack.adminPort}/`, { headers: HTML });
    const text = await response.text();
    const addresses = [...text.matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([address]) => address);
    assert.deepEqual([...new Set(addresses)], ["http://www.w3.org/2000/svg"]);
  });
});
