/**
 * `npm run page:screenshots`: the page of the admin listener as docs/use/page.md shows it, from a real Envoy with real traffic. Takes half
 * a minute. With a folder as its argument, it writes every view, wide and narrow, light and dark, to that folder instead.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { startBrowser } from "../../browser.ts";
import { build } from "../../build.ts";
import { PROJECT_FOLDER } from "../../project.ts";
import { SetupError } from "../../setup_error.ts";
import { startDemoProxy, type DemoProxy, TOKEN } from "./proxy.ts";

const VIEWS = ["overview", "sessions", "removed", "keys", "revocations", "events", "filters", "settings"];
const WIDE = { width: 1360, height: 860 };
const NARROW = { width: 390, height: 844 };
/** The page's clock runs faster than ours, so that its charts are full. */
const CHART_SECONDS = 290;
const POLL_SECONDS = 2;
const POLL_MILLISECONDS = 200;
const SETTLE_MILLISECONDS = 400;
/** How long that takes by ours: the page's clock then agrees with it. */
const FILL_SECONDS = ((CHART_SECONDS / POLL_SECONDS) * POLL_MILLISECONDS) / 1000;

const folder = process.argv[2];
try {
  const failure = await build();
  if (failure !== null) throw new SetupError(failure);
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const proxy = await startDemoProxy(console.log);
  const browser = await startBrowser(console.log);
  try {
    const page = await browser.newPage({ viewport: WIDE, deviceScaleFactor: 1, timezoneId: "UTC" });
    page.on("pageerror", (error) => console.error(error));
    page.on("console", (message) => message.type() === "error" && console.error(message.text()));
    await open(page, proxy);
    if (folder === undefined) await takeForDocuments(page);
    else await takeAll(page, resolve(folder));
  } finally {
    await browser.close();
    await proxy.stop();
  }
}

/** Signs in, and lets the charts fill. */
async function open(page: Page, { adminPort }: DemoProxy): Promise<void> {
  await page.clock.install({ time: Date.now() - (CHART_SECONDS - FILL_SECONDS) * 1000 });
  await page.goto(`http://127.0.0.1:${adminPort}/`);
  if (folder !== undefined) await page.screenshot({ path: join(resolve(folder), "sign-in.png") });
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const begin = Date.now();
  for (let poll = 1; poll * POLL_SECONDS <= CHART_SECONDS; poll++) {
    await page.clock.runFor(POLL_SECONDS * 1000);
    await sleep(Math.max(0, begin + poll * POLL_MILLISECONDS - Date.now()));
  }
}

async function takeForDocuments(page: Page): Promise<void> {
  const images = join(PROJECT_FOLDER, "docs", "use", "images");
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: "Count again" }).click();
  await sleep(SETTLE_MILLISECONDS);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(images, "page-overview.png") });
  await page.emulateMedia({ colorScheme: "dark" });
  await show(page, "sessions");
  await page.screenshot({ path: join(images, "page-sessions.png") });
}

async function takeAll(page: Page, into: string): Promise<void> {
  mkdirSync(into, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of [
      ["wide", WIDE],
      ["narrow", NARROW],
    ] as const) {
      await page.setViewportSize(viewport);
      for (const view of VIEWS) {
        await show(page, view);
        await page.screenshot({
          path: join(into, `${view}-${size}-${colorScheme}.png`),
          fullPage: view === "overview",
        });
      }
      await takeDialogs(page, into, `${size}-${colorScheme}`);
    }
  }
}

/** The dialogs of the view of sessions. */
async function takeDialogs(page: Page, into: string, name: string): Promise<void> {
  await show(page, "sessions");
  for (const [dialog, button] of [
    ["session", page.getByRole("button", { name: /details$/ }).first()],
    ["removal", page.getByRole("button", { name: "Remove matching …" })],
    ["all", page.getByRole("button", { name: "Remove all …" })],
  ] as const) {
    await button.click();
    await page.getByRole("dialog").waitFor();
    await page.screenshot({ path: join(into, `dialog-${dialog}-${name}.png`) });
    await page.keyboard.press("Escape");
  }
}

async function show(page: Page, view: string): Promise<void> {
  await page.evaluate((name) => (location.hash = name), view);
  await sleep(SETTLE_MILLISECONDS);
  await page.clock.runFor(POLL_SECONDS * 1000);
  await sleep(SETTLE_MILLISECONDS);
}
