/**
 * A trial of the filters' configurations: the module itself reads them, on a host with as little as that takes, and its complaints
 * are returned. So they are those that Envoy's log would have, and the filters of one cache see each other.
 *
 * Tokens are not known here: each variable that Envoy hands on is taken to hold a good one.
 */
import { membersOf, listOf, textOf } from "./finding.ts";
import type { Plugin } from "./survey.ts";

/** The lines of one filter, without the name of its role in front. */
export interface Complaint {
  plugin: Plugin;
  fault: string;
}

/** The filters in their order; those of one `vmId` share a store. */
export function complaintsOf(module: WebAssembly.Module, plugins: Plugin[]): Complaint[] {
  const stores = new Map<string, Store>();
  return plugins.flatMap((plugin) => {
    const store = stores.get(plugin.vmId) ?? new Store();
    stores.set(plugin.vmId, store);
    return new Trial(module, plugin, store).complaints().map((fault) => ({ plugin, fault }));
  });
}

/** Shared data of Envoy's. */
class Store {
  readonly entries = new Map<string, { value: Buffer; cas: number }>();
  lastCas = 0;
}

type Numbers = (...values: number[]) => number;

class Trial {
  private readonly lines: string[] = [];
  private readonly memory: WebAssembly.Memory;
  private readonly exports: Record<string, Numbers | undefined>;
  private readonly configuration: Buffer;
  private readonly variables: Buffer[];
  private readonly properties: Record<string, string>;

  constructor(
    module: WebAssembly.Module,
    plugin: Plugin,
    private readonly store: Store,
  ) {
    this.properties = { plugin_root_id: plugin.rootId, plugin_name: textOf(plugin.config["name"]) };
    this.configuration = Buffer.from(plugin.text ?? "");
    this.variables = environmentOf(plugin);
    const instance = new WebAssembly.Instance(module, this.imports(module));
    this.exports = instance.exports as Record<string, Numbers | undefined>;
    this.memory = instance.exports["memory"] as WebAssembly.Memory;
  }

  complaints(): string[] {
    const { exports, configuration } = this;
    exports["_initialize"]?.();
    exports["proxy_on_context_create"]?.(ROOT_CONTEXT, 0);
    exports["proxy_on_vm_start"]?.(ROOT_CONTEXT, 0);
    const isTaken = exports["proxy_on_configure"]?.(ROOT_CONTEXT, configuration.length) !== 0;
    const lines = this.lines.map((line) => line.replace(/^configuration of the \w+ filter: /, ""));
    return lines.length === 0 && !isTaken ? ["the module refuses this configuration"] : lines;
  }

  private imports(module: WebAssembly.Module): WebAssembly.Imports {
    const given: Record<string, unknown> = { ...this.proxyCalls(), ...this.systemCalls() };
    const wanted: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module: family, name } of WebAssembly.Module.imports(module)) {
      (wanted[family] ??= {})[name] = (given[name] ?? ((): number => OK)) as WebAssembly.ImportValue;
    }
    return wanted;
  }

  private proxyCalls(): Record<string, unknown> {
    const { entries } = this.store;
    let metrics = 0;
    return {
      proxy_log: (level: number, text: number, length: number): number => {
        if (level >= WARNING) this.lines.push(this.bytes(text, length).toString("utf8"));
        return OK;
      },
      proxy_get_property: (path: number, length: number, pointerAt: number, lengthAt: number): number => {
        const value = this.properties[this.bytes(path, length).toString("latin1").replace(/\0$/, "")];
        return value === undefined ? NOT_FOUND : this.hand(Buffer.from(value), pointerAt, lengthAt);
      },
      proxy_get_buffer_bytes: (
        kind: number,
        start: number,
        length: number,
        pointerAt: number,
        lengthAt: number,
      ): number => {
        if (kind !== PLUGIN_CONFIGURATION) return NOT_FOUND;
        return this.hand(this.configuration.subarray(start, start + length), pointerAt, lengthAt);
      },
      proxy_get_shared_data: (key: number, length: number, pointerAt: number, lengthAt: number, casAt: number) => {
        const entry = entries.get(this.bytes(key, length).toString("latin1"));
        if (entry === undefined) return NOT_FOUND;
        this.view().setUint32(casAt, entry.cas, true);
        return this.hand(entry.value, pointerAt, lengthAt);
      },
      proxy_set_shared_data: (key: number, length: number, value: number, valueLength: number, cas: number) => {
        const name = this.bytes(key, length).toString("latin1");
        const entry = entries.get(name);
        if (entry !== undefined && cas !== 0 && cas !== entry.cas) return CAS_MISMATCH;
        entries.set(name, { value: Buffer.from(this.bytes(value, valueLength)), cas: ++this.store.lastCas });
        return OK;
      },
      proxy_define_metric: (_kind: number, _name: number, _length: number, idAt: number): number => {
        this.view().setUint32(idAt, ++metrics, true);
        return OK;
      },
      proxy_get_metric: (_id: number, valueAt: number): number => {
        this.view().setBigUint64(valueAt, 0n, true);
        return OK;
      },
      proxy_get_current_time_nanoseconds: (at: number): number => this.time(at),
      proxy_get_header_map_value: (): number => NOT_FOUND,
    };
  }

  private systemCalls(): Record<string, unknown> {
    return {
      environ_sizes_get: (countAt: number, sizeAt: number): number => {
        this.view().setUint32(countAt, this.variables.length, true);
        this.view().setUint32(sizeAt, Buffer.concat(this.variables).length, true);
        return OK;
      },
      environ_get: (pointersAt: number, textAt: number): number => {
        let place = textAt;
        for (const [index, variable] of this.variables.entries()) {
          this.view().setUint32(pointersAt + 4 * index, place, true);
          variable.copy(this.bytes(place, variable.length));
          place += variable.length;
        }
        return OK;
      },
      clock_time_get: (_clock: number, _precision: bigint, at: number): number => this.time(at),
      random_get: (at: number, length: number): number => (this.bytes(at, length).fill(7), OK),
      fd_write: (): number => OK,
      proc_exit: (code: number): never => {
        throw new Error(`proc_exit(${String(code)})`);
      },
    };
  }

  private time(at: number): number {
    this.view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true);
    return OK;
  }

  private view(): DataView {
    return new DataView(this.memory.buffer);
  }

  private bytes(at: number, length: number): Buffer {
    return Buffer.from(this.memory.buffer, at >>> 0, length >>> 0);
  }

  /** Values reach the module in memory that it has allocated itself. */
  private hand(value: Buffer, pointerAt: number, lengthAt: number): number {
    const allocate = this.exports["proxy_on_memory_allocate"] ?? this.exports["malloc"];
    const pointer = value.length === 0 ? 0 : (allocate?.(value.length) ?? 0);
    value.copy(this.bytes(pointer, value.length));
    this.view().setUint32(pointerAt, pointer, true);
    this.view().setUint32(lengthAt, value.length, true);
    return OK;
  }
}

/** `NAME=value`, each with a zero behind it. */
function environmentOf({ config }: Plugin): Buffer[] {
  const variables = membersOf(membersOf(config["vm_config"])["environment_variables"]);
  const pairs = [
    ...listOf(variables["host_env_keys"]).map((name) => [textOf(name), `a-good-token-of-${textOf(name)}`]),
    ...Object.entries(membersOf(variables["key_values"])).map(([name, value]) => [name, textOf(value)]),
  ];
  return pairs.map(([name = "", value = ""]) => Buffer.from(`${name}=${value}\0`));
}

const ROOT_CONTEXT = 1;
const OK = 0;
const NOT_FOUND = 1;
const CAS_MISMATCH = 8;
/** Of the levels of proxy_log. */
const WARNING = 3;
/** Of the buffers of proxy_get_buffer_bytes. */
const PLUGIN_CONFIGURATION = 7;
