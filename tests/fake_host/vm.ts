/**
 * One wasm VM: an instance of the module, its contexts, and the host functions as Envoy answers them.
 *
 * Fidelity that matters here: values are handed over through the guest's own allocator; an absent header or key is
 * NotFound; reading nothing of a buffer leaves the result pointers as they were; a local response is sent after the
 * callback that asked for it; a module that imports what Envoy does not have is refused; a trap is the VM's end.
 */
import { BufferKind, HOST_FUNCTIONS, HeaderMapKind, LOG_LEVELS, Status, StreamKind } from "./abi.ts";
import type { FakeClock } from "./clock.ts";
import type { Grpc, GrpcCallbacks } from "./grpc.ts";
import type { Metric, Metrics } from "./metrics.ts";
import type { SharedData } from "./shared_data.ts";

/** What all VMs of a host have in common. */
export interface Surroundings {
  readonly sharedData: SharedData;
  readonly metrics: Metrics;
  readonly clock: FakeClock;
  readonly environment: Record<string, string>;
  /** A host that does not know `declare_property`. */
  readonly keepsNoProperties?: boolean;
  /** Takes the name of every host function that was called, and of every callback. */
  readonly called?: { add(name: string): unknown };
  /** Host functions that the VM may not call: they do nothing and answer as Envoy does where its configuration restricts them. */
  readonly denied?: ReadonlySet<string>;
  /** The host's clusters by name, all of them of the type ORIGINAL_DST; undefined if none is needed. */
  readonly clusters?: ReadonlySet<string>;
  /** The host's only cluster for gRPC; undefined if none is needed. */
  readonly grpc?: Grpc;
  /** Puts something around each host function, such as a clock. */
  readonly around?: (answer: HostFunction, name: string) => HostFunction;
  log(level: number, text: string): void;
}

export interface LocalResponse {
  status: number;
  headers: [string, string][];
  body: Buffer;
}

/** A context as the host has it; which of the fields are there depends on whether it is a root, a connection or a request. */
export interface Context {
  readonly id: number;
  readonly rootId: string;
  readonly configuration?: Buffer;
  tickPeriodMilliseconds?: number;
  properties?: Map<string, Buffer>;
  /** Of an HTTP stream: the root that it belongs to, and what its connection keeps of the module's own properties. */
  root?: Context;
  connectionProperties?: Map<string, Buffer>;
  /** Of a root: its properties that were declared to live as long as a connection. */
  declared?: Set<string>;
  downstreamData?: Buffer;
  upstreamData?: Buffer;
  requestHeaders?: [string, string][];
  requestBody?: Buffer;
  /** Of a root, while it is told of a message or of the end of a call. */
  grpcMessage?: Buffer;
  grpcText?: string;
  /** The module's settings for tcp_proxy. */
  filterState?: Map<string, string>;
  onLocalResponse?: (response: LocalResponse) => void;
  onContinue?: (stream: number) => void;
  onClose?: (stream: number) => void;
}

/** The guest trapped, as it never may. */
export class Trap extends Error {
  constructor(callback: string, cause: unknown, log: string) {
    super(`the module trapped in ${callback}: ${cause instanceof Error ? cause.message : String(cause)}${log}`, {
      cause,
    });
  }
}

type Callback = (...parameters: number[]) => number;
export type HostFunction = (...parameters: unknown[]) => unknown;

export class Vm {
  /** Set after a trap; any later call is an error. */
  trapped = false;

  private readonly exports: Record<string, Callback | undefined>;
  private readonly guestMemory: WebAssembly.Memory;
  private readonly allocate: Callback;
  private readonly metrics: Metric[] = [];
  private readonly contexts = new Map<number, Context>();
  private readonly afterCall: (() => void)[] = [];
  private actsAfterCall = false;
  private bytes: Uint8Array;
  private view: DataView;
  private current: Context | undefined;
  private lastLog = "";

  constructor(
    module: WebAssembly.Module,
    private readonly surroundings: Surroundings,
    private readonly vmConfiguration: Buffer,
  ) {
    const instance = new WebAssembly.Instance(module, this.imports(module));
    this.exports = instance.exports as Record<string, Callback | undefined>;
    this.guestMemory = instance.exports.memory as WebAssembly.Memory;
    this.bytes = new Uint8Array(this.guestMemory.buffer);
    this.view = new DataView(this.guestMemory.buffer);
    const allocate = this.exports.proxy_on_memory_allocate ?? this.exports.malloc;
    if (allocate === undefined) throw new Error("the module exports neither proxy_on_memory_allocate nor malloc");
    if (this.exports.proxy_abi_version_0_2_1 === undefined) throw new Error("the module is not of ABI 0.2.1");
    this.allocate = allocate;
    this.guarded("_initialize", []);
  }

  get busy(): boolean {
    return this.current !== undefined;
  }

  get memory(): WebAssembly.Memory {
    return this.guestMemory;
  }

  get memoryBytes(): number {
    return this.guestMemory.buffer.byteLength;
  }

  add(context: Context): void {
    this.contexts.set(context.id, context);
  }

  remove(context: Context): void {
    this.contexts.delete(context.id);
  }

  has(context: Context): boolean {
    return this.contexts.has(context.id);
  }

  /** Calls a callback of the guest if it exports one; `otherwise` is the answer if it does not. */
  call(context: Context, callback: string, parameters: number[], otherwise = 0): number {
    if (this.exports[callback] === undefined) return otherwise;
    this.surroundings.called?.add(callback);
    const before = this.current;
    this.current = context;
    try {
      return this.guarded(callback, parameters);
    } finally {
      this.current = before;
      if (before === undefined) this.runAfterCall();
    }
  }

  /** What the guest exports under a name, such as a global of an instrumented build. */
  exported(name: string): WebAssembly.ExportValue | undefined {
    return (this.exports as Record<string, WebAssembly.ExportValue | undefined>)[name];
  }

  exportsCallback(callback: string): boolean {
    return this.exports[callback] !== undefined;
  }

  private guarded(callback: string, parameters: number[]): number {
    if (this.trapped) throw new Error(`${callback} on a VM that has trapped`);
    try {
      return this.exports[callback]?.(...parameters) ?? 0;
    } catch (error) {
      this.trapped = true;
      throw new Trap(callback, error, this.lastLog === "" ? "" : `; its last log line: ${this.lastLog}`);
    }
  }

  /** What these do may call the guest again; what that leaves to be done comes in its turn. */
  private runAfterCall(): void {
    if (this.actsAfterCall) return;
    this.actsAfterCall = true;
    try {
      for (let act = this.afterCall.shift(); act !== undefined; act = this.afterCall.shift()) act();
    } finally {
      this.actsAfterCall = false;
    }
  }

  // Memory. The buffer is replaced whenever the guest's memory grows.

  private refresh(): void {
    if (this.bytes.buffer === this.guestMemory.buffer && this.bytes.length > 0) return;
    this.bytes = new Uint8Array(this.guestMemory.buffer);
    this.view = new DataView(this.guestMemory.buffer);
  }

  private text(pointer: number, length: number): string {
    this.refresh();
    return Buffer.from(this.bytes.buffer, pointer >>> 0, length >>> 0).toString("utf8");
  }

  /** Keys are bytes: latin1 keeps each of them. */
  private key(pointer: number, length: number): string {
    this.refresh();
    return Buffer.from(this.bytes.buffer, pointer >>> 0, length >>> 0).toString("latin1");
  }

  private copyOut(pointer: number, length: number): Buffer {
    return Buffer.from(this.slice(pointer, length));
  }

  /** Envoy refuses what lies outside; here it is the module's end, because it must never come to that. */
  private slice(pointer: number, length: number): Uint8Array {
    this.refresh();
    const end = (pointer >>> 0) + (length >>> 0);
    if (end > this.bytes.length) throw new RangeError(`the module named memory up to ${end} of ${this.bytes.length}`);
    return this.bytes.subarray(pointer >>> 0, end);
  }

  private writeU32(pointer: number, value: number): void {
    this.refresh();
    this.view.setUint32(pointer >>> 0, value, true);
  }

  private writeU64(pointer: number, value: bigint): void {
    this.refresh();
    this.view.setBigUint64(pointer >>> 0, value, true);
  }

  /** Hands a value to the guest in memory of its own; an empty one is pointer 0, length 0. */
  private handOver(value: Uint8Array, pointerAt: number, lengthAt: number): number {
    let pointer = 0;
    if (value.length > 0) {
      pointer = this.allocate(value.length) >>> 0;
      if (pointer === 0) return Status.InvalidMemoryAccess;
      this.refresh();
      this.bytes.set(value, pointer);
    }
    this.writeU32(pointerAt, pointer);
    this.writeU32(lengthAt, value.length);
    return Status.Ok;
  }

  // Host functions.

  private imports(module: WebAssembly.Module): WebAssembly.Imports {
    const given: Record<string, Record<string, WebAssembly.ImportValue>> = {
      env: { ...this.proxyFunctions() },
      wasi_snapshot_preview1: { ...this.wasiFunctions() },
    };
    const wanted: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module: family, name } of WebAssembly.Module.imports(module)) {
      if (HOST_FUNCTIONS[family]?.includes(name) !== true) {
        throw new Error(`Envoy would not load the module: it imports ${family}.${name}`);
      }
      let answer = (given[family]?.[name] ?? ((): number => Status.Unimplemented)) as HostFunction;
      if (this.surroundings.denied?.has(name) === true) answer = family === "env" ? refuse : refuseWasi;
      const { called, around = (same) => same } = this.surroundings;
      const call = around(answer, name);
      (wanted[family] ??= {})[name] =
        called === undefined ? call : (...parameters: unknown[]) => (called.add(name), call(...parameters));
    }
    return wanted;
  }

  private proxyFunctions(): WebAssembly.ModuleImports {
    return {
      proxy_log: (level: number, text: number, length: number): number => {
        this.lastLog = this.text(text, length);
        this.surroundings.log(level, this.lastLog);
        return Status.Ok;
      },
      proxy_get_log_level: (levelAt: number): number => {
        this.writeU32(levelAt, LOG_LEVELS.indexOf("info"));
        return Status.Ok;
      },
      proxy_set_tick_period_milliseconds: (period: number): number => {
        if (this.current === undefined) return Status.BadArgument;
        this.current.tickPeriodMilliseconds = period;
        return Status.Ok;
      },
      proxy_get_current_time_nanoseconds: (at: number): number => {
        this.writeU64(at, this.surroundings.clock.readNanoseconds());
        return Status.Ok;
      },
      proxy_get_property: (path: number, pathLength: number, pointerAt: number, lengthAt: number): number => {
        const value = this.property(this.key(path, pathLength));
        return value === undefined ? Status.NotFound : this.handOver(value, pointerAt, lengthAt);
      },
      proxy_set_property: (path: number, pathLength: number, value: number, length: number): number =>
        this.setProperty(this.key(path, pathLength), this.copyOut(value, length)),
      proxy_get_shared_data: (
        key: number,
        keyLength: number,
        pointerAt: number,
        lengthAt: number,
        casAt: number,
      ): number => {
        const entry = this.surroundings.sharedData.get(this.key(key, keyLength));
        if (entry === undefined) return Status.NotFound;
        this.writeU32(casAt, entry.cas);
        return this.handOver(entry.value, pointerAt, lengthAt);
      },
      proxy_set_shared_data: (
        key: number,
        keyLength: number,
        value: number,
        valueLength: number,
        cas: number,
      ): number =>
        this.surroundings.sharedData.set(this.key(key, keyLength), this.slice(value, valueLength), cas >>> 0),
      ...this.metricFunctions(),
      ...this.bufferFunctions(),
      ...this.streamFunctions(),
      ...this.headerFunctions(),
      proxy_call_foreign_function: (name: number, nameLength: number, argument: number, length: number): number =>
        this.foreignFunction(this.text(name, nameLength), this.copyOut(argument, length)),
      // A cluster of the type ORIGINAL_DST has no host for a call: Envoy answers it itself before it is under way.
      proxy_http_call: (name: number, length: number): number => {
        const { clusters } = this.surroundings;
        if (clusters === undefined) return Status.Unimplemented;
        return clusters.has(this.text(name, length)) ? Status.InternalFailure : Status.BadArgument;
      },
      ...this.grpcFunctions(),
      proxy_done: (): number => Status.Ok,
    };
  }

  private grpcFunctions(): WebAssembly.ModuleImports {
    const { grpc } = this.surroundings;
    if (grpc === undefined) return {};
    return {
      proxy_grpc_call: (
        _cluster: number,
        _clusterLength: number,
        service: number,
        serviceLength: number,
        method: number,
        methodLength: number,
        _metadata: number,
        _metadataLength: number,
        message: number,
        length: number,
        _timeout: number,
        tokenAt: number,
      ): number => {
        const root = this.current;
        if (root === undefined) return Status.BadArgument;
        const name = `${this.text(service, serviceLength)}/${this.text(method, methodLength)}`;
        const { token, later } = grpc.call(name, this.copyOut(message, length), this.grpcCallbacks(root));
        this.afterCall.push(later);
        this.writeU32(tokenAt, token);
        return Status.Ok;
      },
      proxy_grpc_stream: (
        _cluster: number,
        _clusterLength: number,
        service: number,
        serviceLength: number,
        method: number,
        methodLength: number,
        _metadata: number,
        _metadataLength: number,
        tokenAt: number,
      ): number => {
        const root = this.current;
        if (root === undefined) return Status.BadArgument;
        const name = `${this.text(service, serviceLength)}/${this.text(method, methodLength)}`;
        this.writeU32(tokenAt, grpc.open(name, this.grpcCallbacks(root)));
        return Status.Ok;
      },
      proxy_grpc_send: (token: number, message: number, length: number): number => {
        const later = grpc.send(token, this.copyOut(message, length));
        if (later === undefined) return Status.NotFound;
        this.afterCall.push(later);
        return Status.Ok;
      },
      proxy_grpc_cancel: (token: number): number => grpc.cancel(token),
      proxy_get_status: (codeAt: number, pointerAt: number, lengthAt: number): number => {
        this.writeU32(codeAt, 0);
        return this.handOver(Buffer.from(this.current?.grpcText ?? ""), pointerAt, lengthAt);
      },
    };
  }

  private grpcCallbacks(root: Context): GrpcCallbacks {
    return {
      received: (token, message) => {
        root.grpcMessage = message;
        this.call(root, "proxy_on_grpc_receive", [root.id, token, message.length]);
        delete root.grpcMessage;
      },
      closed: (token, { status, text }) => {
        root.grpcText = text;
        this.call(root, "proxy_on_grpc_close", [root.id, token, status]);
        delete root.grpcText;
      },
    };
  }

  private metricFunctions(): WebAssembly.ModuleImports {
    const { metrics } = this.surroundings;
    return {
      proxy_define_metric: (kind: number, name: number, length: number, idAt: number): number => {
        this.metrics.push(metrics.define(kind, this.text(name, length)));
        this.writeU32(idAt, this.metrics.length);
        return Status.Ok;
      },
      proxy_increment_metric: (id: number, offset: bigint): number => {
        const metric = this.metrics[id - 1];
        return metric === undefined ? Status.NotFound : metrics.increment(metric, offset);
      },
      proxy_record_metric: (id: number, value: bigint): number => {
        const metric = this.metrics[id - 1];
        return metric === undefined ? Status.NotFound : metrics.record(metric, value);
      },
      proxy_get_metric: (id: number, at: number): number => {
        const metric = this.metrics[id - 1];
        if (metric === undefined) return Status.NotFound;
        this.writeU64(at, metric.value);
        return Status.Ok;
      },
    };
  }

  private bufferFunctions(): WebAssembly.ModuleImports {
    return {
      proxy_get_buffer_bytes: (
        kind: number,
        start: number,
        wanted: number,
        pointerAt: number,
        lengthAt: number,
      ): number => {
        const buffer = this.buffer(kind);
        if (buffer === undefined) return Status.NotFound;
        const from = start >>> 0;
        if (from > buffer.length) return Status.BadArgument;
        const length = Math.min(wanted >>> 0, buffer.length - from);
        if (length === 0) return Status.Ok;
        return this.handOver(buffer.subarray(from, from + length), pointerAt, lengthAt);
      },
      proxy_get_buffer_status: (kind: number, lengthAt: number, flagsAt: number): number => {
        const buffer = this.buffer(kind);
        if (buffer === undefined) return Status.NotFound;
        this.writeU32(lengthAt, buffer.length);
        this.writeU32(flagsAt, 0);
        return Status.Ok;
      },
      proxy_set_buffer_bytes: (kind: number, start: number, replaced: number, data: number, length: number): number => {
        const buffer = this.buffer(kind);
        const context = this.current;
        if (buffer === undefined || context === undefined) return Status.NotFound;
        const given = this.copyOut(data, length);
        let result: Buffer;
        if (start === 0 && replaced === 0) result = Buffer.concat([given, buffer]);
        else if (start === 0 && replaced >>> 0 >= buffer.length) result = given;
        else if (start >>> 0 >= buffer.length) result = Buffer.concat([buffer, given]);
        else return Status.BadArgument;
        if (kind === BufferKind.DownstreamData) context.downstreamData = result;
        else if (kind === BufferKind.UpstreamData) context.upstreamData = result;
        else return Status.BadArgument;
        return Status.Ok;
      },
    };
  }

  private streamFunctions(): WebAssembly.ModuleImports {
    return {
      proxy_set_effective_context: (id: number): number => {
        const context = this.contexts.get(id >>> 0);
        if (context === undefined) return Status.BadArgument;
        this.current = context;
        return Status.Ok;
      },
      proxy_continue_stream: (stream: number): number => {
        const context = this.current;
        if (stream === StreamKind.Upstream) return Status.Unimplemented;
        this.afterCall.push(() => context?.onContinue?.(stream));
        return Status.Ok;
      },
      proxy_close_stream: (stream: number): number => {
        const context = this.current;
        this.afterCall.push(() => context?.onClose?.(stream));
        return Status.Ok;
      },
      proxy_send_local_response: (
        status: number,
        _details: number,
        _detailsLength: number,
        body: number,
        bodyLength: number,
        pairs: number,
        pairsLength: number,
      ): number => {
        const answer = this.current?.onLocalResponse;
        if (answer === undefined) return Status.BadArgument;
        const response = {
          status,
          headers: decodePairs(this.copyOut(pairs, pairsLength)),
          body: this.copyOut(body, bodyLength),
        };
        this.afterCall.push(() => answer(response));
        return Status.Ok;
      },
    };
  }

  private headerFunctions(): WebAssembly.ModuleImports {
    return {
      proxy_get_header_map_value: (
        kind: number,
        name: number,
        nameLength: number,
        pointerAt: number,
        lengthAt: number,
      ): number => {
        if (kind !== HeaderMapKind.HttpRequestHeaders) return Status.NotFound;
        const wanted = this.text(name, nameLength).toLowerCase();
        // Envoy answers the first of several of one name.
        const header = this.current?.requestHeaders?.find(([key]) => key === wanted);
        return header === undefined
          ? Status.NotFound
          : this.handOver(Buffer.from(header[1], "latin1"), pointerAt, lengthAt);
      },
      proxy_get_header_map_pairs: (kind: number, pointerAt: number, lengthAt: number): number => {
        const headers = kind === HeaderMapKind.HttpRequestHeaders ? this.current?.requestHeaders : undefined;
        return headers === undefined ? Status.NotFound : this.handOver(encodePairs(headers), pointerAt, lengthAt);
      },
      proxy_get_header_map_size: (kind: number, lengthAt: number): number => {
        const headers = kind === HeaderMapKind.HttpRequestHeaders ? this.current?.requestHeaders : undefined;
        if (headers === undefined) return Status.NotFound;
        this.writeU32(lengthAt, encodePairs(headers).length);
        return Status.Ok;
      },
    };
  }

  private wasiFunctions(): WebAssembly.ModuleImports {
    const variables = Object.entries(this.surroundings.environment).map(([name, value]) =>
      Buffer.from(`${name}=${value}\0`),
    );
    return {
      environ_sizes_get: (countAt: number, bytesAt: number): number => {
        this.writeU32(countAt, variables.length);
        this.writeU32(bytesAt, Buffer.concat(variables).length);
        return 0;
      },
      environ_get: (pointersAt: number, textAt: number): number => {
        let at = textAt;
        variables.forEach((variable, index) => {
          this.writeU32(pointersAt + 4 * index, at);
          this.bytes.set(variable, at);
          at += variable.length;
        });
        return 0;
      },
      args_sizes_get: (countAt: number, bytesAt: number): number => {
        this.writeU32(countAt, 0);
        this.writeU32(bytesAt, 0);
        return 0;
      },
      args_get: (): number => 0,
      clock_time_get: (id: number, _precision: bigint, at: number): number => {
        const { clock } = this.surroundings;
        this.writeU64(at, id === MONOTONIC ? clock.readMonotonicNanoseconds() : clock.readNanoseconds());
        return 0;
      },
      random_get: (at: number, length: number): number => {
        // Any fixed bytes will do; what must not be guessed does not come from here in tests.
        for (let i = 0; i < length; i++) this.slice(at, length)[i] = (i * 73 + 41) & 0xff;
        return 0;
      },
      fd_write: (_file: number, vectors: number, count: number, writtenAt: number): number => {
        let written = 0;
        for (let i = 0; i < count; i++) {
          this.refresh();
          const pointer = this.view.getUint32(vectors + 8 * i, true);
          const length = this.view.getUint32(vectors + 8 * i + 4, true);
          this.surroundings.log(LOG_LEVELS.indexOf("info"), this.text(pointer, length));
          written += length;
        }
        this.writeU32(writtenAt, written);
        return 0;
      },
      proc_exit: (code: number): never => {
        throw new Error(`proc_exit(${code})`);
      },
    };
  }

  private property(path: string): Buffer | undefined {
    const name = path.replaceAll("\0", ".");
    if (name === "plugin_root_id") return Buffer.from(this.current?.rootId ?? "");
    return this.current?.properties?.get(name) ?? this.current?.connectionProperties?.get(name);
  }

  /** Kept with the stream, unless the root has declared the property for the connection. A root has no stream. */
  private setProperty(name: string, value: Buffer): number {
    const stream = this.current;
    if (stream?.root === undefined) return Status.NotFound;
    const isForConnection = stream.root.declared?.has(name) === true;
    const kept = isForConnection ? stream.connectionProperties : (stream.properties ??= new Map());
    kept?.set(name, value);
    return Status.Ok;
  }

  private foreignFunction(name: string, argument: Buffer): number {
    if (name === "declare_property") return this.declareProperty(argument);
    if (name !== "set_envoy_filter_state" || this.current === undefined) return Status.NotFound;
    const keyLength = argument.readUInt8(1);
    const valueLength = argument.readUInt8(2 + keyLength + 1);
    const key = argument.toString("latin1", 2, 2 + keyLength);
    const value = argument.toString("latin1", 4 + keyLength, 4 + keyLength + valueLength);
    (this.current.filterState ??= new Map()).set(key, value);
    return Status.Ok;
  }

  /** Of the message's fields, name (1) and span (5, where 2 is the connection) count; each name may be declared once. */
  private declareProperty(message: Buffer): number {
    const fields = new Map<number, Buffer | number>();
    for (let at = 0; at < message.length;) {
      const tag = message.readUInt8(at);
      const number = message.readUInt8(at + 1);
      const isText = (tag & 7) === 2;
      fields.set(tag >> 3, isText ? message.subarray(at + 2, at + 2 + number) : number);
      at += 2 + (isText ? number : 0);
    }
    const name = String(fields.get(1) ?? "");
    const root = this.current;
    if (root === undefined || this.surroundings.keepsNoProperties === true) return Status.NotFound;
    if (name === "" || root.declared?.has(name) === true) return Status.BadArgument;
    if (fields.get(5) === 2) (root.declared ??= new Set()).add(name);
    return Status.Ok;
  }

  private buffer(kind: number): Buffer | undefined {
    if (kind === BufferKind.DownstreamData) return this.current?.downstreamData;
    if (kind === BufferKind.UpstreamData) return this.current?.upstreamData;
    if (kind === BufferKind.HttpRequestBody) return this.current?.requestBody;
    if (kind === BufferKind.GrpcReceiveBuffer) return this.current?.grpcMessage;
    if (kind === BufferKind.PluginConfiguration) return this.current?.configuration;
    if (kind === BufferKind.VmConfiguration) return this.vmConfiguration;
    return undefined;
  }
}

/** u32 count, then the two lengths of each pair, then all names and values, each with a zero behind it. */
function encodePairs(pairs: [string, string][]): Buffer {
  const sizes = Buffer.alloc(4 + 8 * pairs.length);
  sizes.writeUInt32LE(pairs.length, 0);
  const parts: Buffer[] = [sizes];
  pairs.forEach(([name, value], index) => {
    const nameBytes = Buffer.from(name, "latin1");
    const valueBytes = Buffer.from(value, "latin1");
    sizes.writeUInt32LE(nameBytes.length, 4 + 8 * index);
    sizes.writeUInt32LE(valueBytes.length, 8 + 8 * index);
    parts.push(nameBytes, Buffer.of(0), valueBytes, Buffer.of(0));
  });
  return Buffer.concat(parts);
}

function decodePairs(data: Buffer): [string, string][] {
  if (data.length === 0) return [];
  const count = data.readUInt32LE(0);
  const pairs: [string, string][] = [];
  let at = 4 + 8 * count;
  for (let i = 0; i < count; i++) {
    const nameLength = data.readUInt32LE(4 + 8 * i);
    const valueLength = data.readUInt32LE(8 + 8 * i);
    const name = data.toString("latin1", at, at + nameLength);
    at += nameLength + 1;
    pairs.push([name.toLowerCase(), data.toString("latin1", at, at + valueLength)]);
    at += valueLength + 1;
  }
  if (at !== data.length) throw new Error(`the response's header pairs end at ${at} of ${data.length} bytes`);
  return pairs;
}

/** What Envoy answers in the place of a function that it does not let the module call. */
const refuse = (): number => Status.InternalFailure;
/** ENOTCAPABLE */
const refuseWasi = (): number => 76;
/** CLOCKID_MONOTONIC of WASI. */
const MONOTONIC = 1;
