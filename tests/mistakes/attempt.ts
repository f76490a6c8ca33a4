/**
 * A real Envoy with the shipped envoy.yaml and one mistake in it, and everything that its user reads: the lines of Envoy's log
 * without their heads, and what `use` tells of clients and of the admin API. Ends everything that it started.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument, visit, type YAMLMap } from "yaml";
import { findEnvoy } from "../../tools/envoy_binary.ts";
import { renderEnvoyConfig } from "../../tools/envoy_config.ts";
import { type EnvoyProcess, startEnvoy } from "../../tools/envoy_process.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { BUILD_FOLDER, MODULE_FILE } from "../../tools/project.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { adminClient } from "../e2e/stack.ts";
import { FULL_TOKEN, READ_TOKEN, type Admin } from "../wasm/admin_contract.ts";

export interface Running {
  tlsPort: number;
  httpsPort: number;
  adminPort: number;
  envoyAdminPort: number;
  admin: Admin;
}

export interface Attempt {
  change?: (configuration: Document) => unknown;
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

export async function attempt(upstreams: string[], { change, edit, env, modulePath, use }: Attempt): Promise<Outcome> {
  const [tlsPort, httpsPort, adminPort, envoyAdminPort] = (await freePorts(4)) as [number, number, number, number];
  const document = parseDocument(
    renderEnvoyConfig({
      tlsPort,
      httpsPort,
      adminPort,
      envoyAdminPort,
      upstreams,
      modulePath: typeof modulePath === "function" ? await modulePath() : (modulePath ?? MODULE_FILE),
    }),
  );
  await change?.(document);
  const text = document.toString({ lineWidth: 0 });
  const folder = newFolder();
  let envoy: EnvoyProcess | null = null;
  const told: string[] = [];
  try {
    envoy = await startEnvoy({
      binary: await findEnvoy(() => undefined),
      configuration: edit === undefined ? text : edit(text),
      envoyAdminPort,
      concurrency: 1,
      env: { ADMIN_TOKEN: FULL_TOKEN, ADMIN_READ_TOKEN: READ_TOKEN, ...env },
      folder,
    });
    if (use !== undefined) {
      told.push(...(await use({ tlsPort, httpsPort, adminPort, envoyAdminPort, admin: adminClient(adminPort) })));
      // What the filter says of it comes on its next tick.
      await sleep(SETTLE_MILLISECONDS);
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    told.push(error.message);
  } finally {
    await envoy?.stop();
  }
  const log = envoy === null ? logOf(folder) : envoy.log();
  return { started: envoy !== null, lines: [...told, ...log.split("\n").map((line) => line.replace(LINE_HEAD, ""))] };
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

const SETTLE_MILLISECONDS = 1500;
/** `[2026-11-23 13:10:22.458][5008][warning][wasm] [source/extensions/x.cc:1154] text` */
const LINE_HEAD = /^\[[^\]]*\]\[\d+\]\[[a-z]+\]\[[^\]]*\] (?:\[[^\]]*\] )?/;
