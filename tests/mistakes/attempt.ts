/**
 * A real Envoy with the shipped envoy.yaml and one mistake in it, and everything that its user reads: the lines of Envoy's log
 * without their heads, and what `use` tells of clients and of the admin API. Ends everything that it started.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument, visit, type YAMLMap } from "yaml";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { type EnvoyConfigOptions, renderEnvoyConfig } from "../../tools/proxies/envoy_config.ts";
import { type EnvoyProcess, startEnvoy } from "../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { BUILD_FOLDER, MODULE_FILE } from "../../tools/project.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { adminClient } from "../support/stack.ts";
import { FULL_TOKEN, READ_TOKEN, type Admin } from "../contract/client.ts";

export interface Running {
  tlsPort: number;
  httpsPort: number;
  adminPort: number;
  envoyAdminPort: number;
  admin: Admin;
  /** Whether the line that is waited for has come. */
  isTold: () => boolean;
}

export interface Attempt {
  /** `sparePort` is one that nobody uses. */
  change?: (configuration: Document, sparePort: number) => unknown;
  /** A change of the text, behind the other one. */
  edit?: (text: string) => string;
  env?: Record<string, string | undefined>;
  modulePath?: string | (() => Promise<string>);
  /** What a user does then; answers with the lines that the user reads. */
  use?: (running: Running) => Promise<string[]>;
}

export interface Outcome {
  started: boolean;
  lines: string[];
}

/** Ends as soon as a line `isEnough`, or has not come after SETTLE_SECONDS. */
export async function attempt(
  upstreams: string[],
  { change, edit, env, modulePath, use }: Attempt,
  isEnough: (line: string) => boolean,
): Promise<Outcome> {
  const [tlsPort = 0, httpsPort = 0, adminPort = 0, envoyAdminPort = 0, sparePort = 0] = await freePorts(5);
  const ports = { tlsPort, httpsPort, adminPort, envoyAdminPort };
  const text = await mistaken({ change, edit, modulePath }, { ...ports, upstreams }, sparePort);
  const folder = newFolder();
  const told: string[] = [];
  const lines = (): string[] => [
    ...told,
    ...logOf(folder)
      .split("\n")
      .map((line) => line.replace(LINE_HEAD, "")),
  ];
  let envoy: EnvoyProcess | null = null;
  try {
    envoy = await startEnvoy({
      binary: await findEnvoy(() => undefined),
      configuration: text,
      envoyAdminPort,
      concurrency: 1,
      env: { ADMIN_TOKEN: FULL_TOKEN, ADMIN_READ_TOKEN: READ_TOKEN, ...env },
      folder,
    });
    const isTold = (): boolean => lines().some(isEnough);
    if (use !== undefined) told.push(...(await use({ ...ports, admin: adminClient(adminPort), isTold })));
    // What the filter says of it comes on one of its next ticks.
    const deadline = Date.now() + SETTLE_SECONDS * 1000;
    while (Date.now() < deadline && !isTold()) await sleep(100);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    told.push(error.message);
  } finally {
    await envoy?.stop();
  }
  return { started: envoy !== null, lines: lines() };
}

/** The text of the shipped envoy.yaml with a mistake in it. */
export async function mistaken(
  { change, edit, modulePath }: Pick<Attempt, "change" | "edit" | "modulePath">,
  options: EnvoyConfigOptions,
  sparePort: number,
): Promise<string> {
  const path = typeof modulePath === "function" ? await modulePath() : (modulePath ?? MODULE_FILE);
  const document = parseDocument(renderEnvoyConfig({ ...options, modulePath: path }));
  await change?.(document, sparePort);
  const text = document.toString({ lineWidth: 0 });
  return edit === undefined ? text : edit(text);
}

/** Where the plugin with this root_id has its fields. */
export function plugin(document: Document, root: "observer" | "admin" | "guard"): YAMLMap {
  let found: YAMLMap | undefined;
  visit(document, {
    Map(_, node) {
      if (node.get("root_id") === root) found = node;
    },
  });
  if (found === undefined) throw new Error(`envoy.yaml has no ${root}`);
  return found;
}

function logOf(folder: string): string {
  const file = join(folder, "envoy.log");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function newFolder(): string {
  const parent = join(BUILD_FOLDER, "test");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "mistake-"));
}

const SETTLE_SECONDS = 8;
/** `[2026-11-23 13:10:22.458][5008][warning][wasm] [source/extensions/x.cc:1154] text` */
const LINE_HEAD = /^\[[^\]]*\]\[\d+\]\[[a-z]+\]\[[^\]]*\] (?:\[[^\]]*\] )?/;
