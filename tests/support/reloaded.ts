/** An Envoy that follows a file of listeners (LDS), whose filters get other settings with each update. */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, stringify } from "yaml";
import { type Stack, eventually, startStack } from "./stack.ts";
import { visit } from "./tls_client.ts";

/** A client without tickets. */
export const ID = { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;

export interface Json {
  [field: string]: unknown;
}

export type Settings = Record<string, unknown>;

/** The settings that each of the filters gives; `null` takes its listener away. */
export interface Configuration {
  observer: Settings;
  guard: Settings | null;
  admin: Settings;
  fleet?: Settings;
}

export interface FilterRow {
  root_id: string;
  name: string;
  state: string;
  workers: number;
  since: number;
  settings: Settings;
  gives: Settings;
  envoy: string;
  module: { version: string; build: string };
}

export const PLAIN: Configuration = { observer: {}, guard: {}, admin: {} };

/** An Envoy that follows a file of listeners. */
export class Reloaded {
  private count = 0;

  private constructor(
    readonly stack: Stack,
    private readonly file: string,
    private readonly listeners: Json[],
  ) {}

  static async start(
    upstreams: string[],
    first: Configuration,
    more: (listeners: Json[]) => void = () => undefined,
    prepare: (document: Document) => void = () => undefined,
  ): Promise<Reloaded> {
    const file = join(mkdtempSync(join(tmpdir(), "listeners-")), "listeners.yaml");
    let listeners: Json[] = [];
    const stack = await startStack({
      upstreams,
      concurrency: 2,
      change: (document: Document) => {
        prepare(document);
        listeners = (document.toJS() as { static_resources: { listeners: Json[] } }).static_resources.listeners;
        more(listeners);
        write(file, listeners, first);
        document.deleteIn(["static_resources", "listeners"]);
        document.set("node", document.createNode({ id: "reload", cluster: "reload" }));
        const source = { resource_api_version: "V3", path_config_source: { path: file } };
        document.set("dynamic_resources", document.createNode({ lds_config: source }));
      },
    });
    return new Reloaded(stack, file, listeners);
  }

  /** Updates, and waits until Envoy has taken or refused it. */
  async update(configuration: Configuration): Promise<"taken" | "refused"> {
    const before = await this.updates();
    write(this.file, this.listeners, configuration, ++this.count);
    return eventually("Envoy has read the file", async () => {
      const now = await this.updates();
      assert.ok(now.taken + now.refused > before.taken + before.refused, "none has come");
      return now.refused > before.refused ? "refused" : "taken";
    });
  }

  /** As `update` to the same settings, but with another file of the module in all filters. */
  async upgrade(module: string): Promise<"taken" | "refused"> {
    for (const plugin of this.listeners.flatMap(pluginsIn)) {
      (plugin.vm_config as { code: Json }).code = { local: { filename: module } };
    }
    return this.update(PLAIN);
  }

  async filters(): Promise<FilterRow[]> {
    const { status, json } = await this.stack.admin("GET", "/v1/filters");
    assert.equal(status, 200);
    return json.filters as unknown as FilterRow[];
  }

  async setting(path: string, name: string): Promise<unknown> {
    return (await this.stack.admin("GET", `/v1/${path}`)).json[name];
  }

  /** How many workers have said that their observer was superseded, which each learns with its next tick. */
  superseded(): number {
    const lines = this.stack.envoy.log().matchAll(/\]\[(\d+)\]\[info\].* observer ".*": another configuration of it/g);
    const threads = new Set([...lines].map(([, thread]) => Number(thread)));
    threads.delete(this.stack.envoy.pid);
    return threads.size;
  }

  /** A connection of a client, as listeners that serve have. */
  connect(): Promise<unknown> {
    return visit({ port: this.stack.tlsPort, ...ID });
  }

  private async updates(): Promise<{ taken: number; refused: number }> {
    const text = await (await fetch(`http://127.0.0.1:${this.stack.envoyAdminPort}/stats?filter=lds.update`)).text();
    const count = (name: string): number => Number(new RegExp(`lds\\.${name}: (\\d+)`).exec(text)?.[1] ?? 0);
    return { taken: count("update_success"), refused: count("update_rejected") };
  }
}

/**
 * Observers get the same text as before where they give the same, so that one is rolled back; the others, to which no connections
 * come here that would tell of it, get one of `number` blanks more.
 */
function write(file: string, listeners: Json[], configuration: Configuration, number = 0): void {
  const written = structuredClone(listeners).filter(
    (listener) => configuration.guard !== null || pluginsIn(listener).every(({ root_id }) => root_id !== "guard"),
  );
  for (const plugin of written.flatMap(pluginsIn)) {
    const text = plugin.configuration as { value: string };
    const own = configuration[plugin.root_id as keyof Configuration] ?? {};
    text.value = JSON.stringify({ ...(JSON.parse(text.value) as Settings), ...own });
    if (plugin.root_id !== "observer") text.value += " ".repeat(number);
  }
  const type = "type.googleapis.com/envoy.config.listener.v3.Listener";
  writeFileSync(`${file}.new`, stringify({ resources: written.map((listener) => ({ "@type": type, ...listener })) }));
  renameSync(`${file}.new`, file);
}

/** The Wasm plugins of a listener. */
export function pluginsIn(node: unknown): Json[] {
  if (Array.isArray(node)) return node.flatMap(pluginsIn);
  if (node === null || typeof node !== "object") return [];
  if ("root_id" in node) return [node as Json];
  return Object.values(node).flatMap(pluginsIn);
}
