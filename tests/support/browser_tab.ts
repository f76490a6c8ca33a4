/**
 * A tab of a real browser on the page of an admin listener. It collects whatever must never happen, whichever test it is in: errors,
 * violations of the page's policy, dialogs, requests to another origin, the token in an address.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { FULL_TOKEN } from "../contract/client.ts";

export interface TabOptions extends BrowserContextOptions {
  port: number;
  /** Signs in with it; null stays at the form. */
  token?: string | null;
  /** Is called before the page is opened. */
  before?: (page: Page) => Promise<void>;
}

export interface Tab {
  readonly page: Page;
  readonly origin: string;
  /** Path and query of each request, in their order. */
  readonly requests: string[];
  /** Shows a view, and waits until it has been read. */
  show(view: string): Promise<void>;
  /** Closes the tab, and fails if anything has happened that must not. */
  close(): Promise<void>;
}

export async function openTab(browser: Browser, options: TabOptions): Promise<Tab> {
  const { port, token = FULL_TOKEN, before, ...contextOptions } = options;
  const origin = `http://127.0.0.1:${port}`;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...contextOptions });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MILLISECONDS);
  const faults: string[] = [];
  const requests: string[] = [];
  await page.exposeFunction("reportViolation", (text: string) => faults.push(`policy: ${text}`));
  await page.addInitScript(() => {
    const report = (window as unknown as { reportViolation(text: string): void }).reportViolation;
    addEventListener("securitypolicyviolation", (event) => report(`${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !ORDINARY.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  context.on("request", (request) => {
    const url = request.url();
    if (url.startsWith("data:")) return;
    if (!url.startsWith(`${origin}/`)) faults.push(`request to ${url}`);
    if (url.includes(FULL_TOKEN)) faults.push(`the token in ${url}`);
    requests.push(url.slice(origin.length));
  });
  await before?.(page);
  await page.goto(`${origin}/`);
  if (token !== null) await signIn(page, token);
  return {
    page,
    origin,
    requests,
    async show(view) {
      await page.evaluate((name) => (location.hash = name), view);
      await page.waitForFunction(
        (name) => document.querySelector("nav [aria-current]")?.getAttribute("data-view") === name,
        view.split("?")[0],
      );
      await page.waitForFunction(() => !/Reading|Counting/.test(document.querySelector("main")?.textContent ?? ""));
    },
    async close() {
      await page.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
}

/** The rules that the page breaks now, with the elements. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResult> } };
    const { violations } = await axe.run({ preload: false, resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  });
}

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE_MILLISECONDS = 8_000;
/** The browser's own note of an answer that is no success: the page asks without a token first, and whether there is a fleet. */
const ORDINARY = /^Failed to load resource: the server responded with a status of (400|401|403|404|410) /;
