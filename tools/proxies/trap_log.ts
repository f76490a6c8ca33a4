/** How a trap of the module looks in Envoy's log, and a call that Envoy denies it. */

/** The lines of a log that must not be there after a good run. */
export function trapLines(log: string): string[] {
  return log.split("\n").filter((line) => TRAP.test(line));
}

/**
 * `source/extensions/common/wasm/` of Envoy 1.40 writes all but the first two: V8 writes `RuntimeError`, and the module itself
 * `aborted: ` (assembly/host/abort.ts).
 */
const TRAP =
  /RuntimeError|wasm log\b.*: aborted: |VM failed|Wasm VM|wasm.*unreachable|in fail-closed state|restricted (proxy-wasm|WASI) capability/i;
