/**
 * The path of a connection, on the module: no managed object is made on it, and a connection gives back all that it takes.
 *
 * Managed objects are counted in a build of the same sources that is not optimised, so that every call of the runtime's `__new` is a
 * call, and in which that function counts. Linear memory never shrinks, so a leak of the smallest block, 16 bytes, in a hundred
 * thousand connections would show as more than a MiB.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import binaryen from "assemblyscript/binaryen";
import { compileIfChanged, FILTER } from "../../../tools/compiler/compile.ts";
import { BUILD_FOLDER, MODULE_FILE } from "../../../tools/project.ts";
import { writeFleetStatus } from "../../fake_host/fleet_status.ts";
import { Replay, captured, varied } from "../../fake_host/replay.ts";

const ALLOCATE = "~lib/rt/itcms/__new";
const COUNTER = "allocations";
const WARM_UP = 300;
/** More than a second, for which connections may wait. */
const TICKS = 12;
const HANDSHAKES_A_TICK = 200;
const HANDSHAKES = 100_000;
/** Many at a time, which show what is held; and few at a time, whose little memory would show the smallest leak. */
const WAVES = [
  [10_000, 10],
  [100, 1000],
] as const;

const MODES: Record<string, Record<string, unknown>> = {
  observing: { enforcement: "observe" },
  enforcing: { enforcement: "revoked" },
  strict: { enforcement: "strict" },
  steering: { steering: "hash" },
};

/** A full handshake of each kind, and the resumptions of its session. */
const EXCHANGES = [
  ["tls12_id_full", "tls12_id_resumed"],
  ["tls12_ticket_full", "tls12_ticket_resumed"],
  ["tls12_ticket_full", "tls12_ticket_unknown"],
  ["tls13_full", "tls13_psk"],
  ["tls13_full", "tls13_psk_unknown"],
  ["tls13_retry_full", "tls13_retry_psk"],
  ["tls13_early_data_full", "tls13_early_data_accepted"],
  ["tls13_early_data_full", "tls13_early_data_rejected"],
] as const;

describe("on the path of a connection", () => {
  let counting: WebAssembly.Module;
  before(async () => {
    counting = new WebAssembly.Module(await buildCounting());
  });

  for (const [mode, settings] of Object.entries(MODES)) {
    for (const [full, resumed] of EXCHANGES) {
      it(`no managed object is made: ${mode}, ${full} and ${resumed}`, () => {
        const replay = new Replay(counting, { settings });
        const [first, again] = [captured(full), captured(resumed)];
        assert.ok(allocations(replay) > 0, "start-up must have made some, else nothing is counted");
        const handshakes = (from: number, count: number): void => {
          for (let i = from; i < from + count; i++) {
            replay.run(varied(first, i));
            replay.run(again);
          }
        };
        handshakes(0, WARM_UP);
        // Ticks are not the path of a connection; what waits for one must not pile up meanwhile.
        for (let i = 0; i < TICKS; i++) replay.tick();
        const made = allocations(replay);
        handshakes(WARM_UP, WARM_UP);
        assert.equal(allocations(replay) - made, 0, "in calm");
        replay.tick();
        const madeByTick = allocations(replay);
        handshakes(2 * WARM_UP, WARM_UP);
        assert.equal(allocations(replay) - madeByTick, 0, "in a rush");
      });
    }
  }
});

describe("the host", () => {
  /** How often it is asked for a property when so many connections are under way at a time. */
  const askedFor = (count: number, full: string, exchange: string): number => {
    let asked = 0;
    const onCall = (name: string): void => void (asked += name === "proxy_get_property" ? 1 : 0);
    const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), { onCall });
    replay.run(captured(full));
    const before = asked;
    const connections = Array.from({ length: count }, () => replay.open());
    for (const flight of captured(exchange)) for (const connection of connections) connection.exchange([flight]);
    for (const connection of connections) connection.close();
    replay.tick();
    assert.equal(replay.host.metric("accepts_good_total"), count + 1);
    return asked - before;
  };

  it("is asked for a connection's upstream once, whatever others do in between", () => {
    assert.equal(askedFor(100, "tls12_id_full", "tls12_ticket_full"), 100);
    assert.equal(askedFor(16, "tls12_ticket_full", "tls12_ticket_resumed"), 16);
  });

  it("has not one call more for a filter that waited at its start, once decisions of other proxies are in", () => {
    const callsOf = (settings: Record<string, unknown>): Record<string, number> => {
      const calls: Record<string, number> = {};
      const onCall = (name: string): void => void (calls[name] = (calls[name] ?? 0) + 1);
      const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), { onCall, settings });
      writeFleetStatus(replay.host, { synced: true });
      for (let i = 0; i < 2; i++) replay.tick();
      for (const name of Object.keys(calls)) delete calls[name];
      for (const [full, resumed] of EXCHANGES) {
        replay.run(captured(full));
        replay.run(captured(resumed));
      }
      return calls;
    };
    assert.deepEqual(callsOf({ fleet: { start: "wait" } }), callsOf({}));
  });

  for (const [mode, full, exchange, shared, stored] of [
    ["observing", "tls12_ticket_full", "tls12_ticket_resumed", 1, 0],
    ["enforcing", "tls12_ticket_full", "tls12_ticket_resumed", 2, 0],
    ["steering", "tls12_ticket_full", "tls12_ticket_resumed", 3, 0],
    ["steering", "tls12_id_full", "tls12_id_resumed", 3, 0],
    ["steering", "tls13_full", "tls13_psk", 3, 0],
  ] as const) {
    it(`reads shared data ${shared === 1 ? "once" : `${shared} times`} in a rush on one session, and leaves the rest to the tick: ${mode}, ${exchange}`, () => {
      let calls: string[] = [];
      const onCall = (name: string): void => void calls.push(name);
      const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), {
        onCall,
        settings: MODES[mode] ?? {},
      });
      for (let i = 0; i < WARM_UP; i++) {
        replay.run(captured(full));
        replay.run(captured(exchange));
        if (i % 50 === 49) replay.tick();
      }
      for (let i = 0; i < 20; i++) replay.run(captured(exchange));
      const hits = replay.host.metric("hits_total");
      calls = [];
      replay.run(captured(exchange));
      const counted = (name: string): number => calls.filter((call) => call === name).length;
      assert.equal(counted("proxy_get_shared_data"), shared);
      assert.equal(counted("proxy_set_shared_data"), stored);
      assert.equal(counted("proxy_increment_metric"), 0);
      replay.tick();
      assert.equal(replay.host.metric("hits_total"), hits + 21, "all are counted with the tick");
    });
  }

  it("is asked by one in eight where many resume what is held with its issuer, under a key that is known", () => {
    assert.equal(askedFor(16 + 800, "tls12_ticket_full", "tls12_ticket_resumed"), 16 + 100);
  });

  it("is not asked where what is resumed has no key, and is held with its issuer", () => {
    assert.equal(askedFor(800, "tls12_id_full", "tls12_id_resumed"), 0);
  });

  it("gives a client's Finished to nobody to read in TLS 1.3, where it comes whole, and once in TLS 1.2", () => {
    let read = 0;
    const onCall = (name: string): void => void (read += name === "proxy_get_buffer_bytes" ? 1 : 0);
    const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), { onCall });
    for (const [exchange, chunks] of [
      ["tls12_ticket_full", 4],
      ["tls12_ticket_resumed", 3],
      ["tls13_full", 2],
      ["tls13_psk", 2],
    ] as const) {
      const before = read;
      const handshakes = replay.host.metric("accepts_good_total");
      const connection = replay.open();
      let asked = 0;
      for (const flight of captured(exchange)) {
        connection.exchange([flight]);
        if (asked === 0 && replay.host.metric("accepts_good_total") > handshakes) asked = read - before;
      }
      connection.close();
      assert.equal(asked, chunks, exchange);
    }
  });

  it("shows the header of each record that a client of TLS 1.2 sends behind its handshake, and none of TLS 1.3", () => {
    let read = 0;
    const onCall = (name: string): void => void (read += name === "proxy_get_buffer_bytes" ? 1 : 0);
    const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), { onCall });
    const record = Buffer.concat([Buffer.from("1703034000", "hex"), Buffer.alloc(0x4000)]);
    for (const [exchange, headers] of [
      ["tls12_id_full", 4],
      ["tls12_id_resumed", 4],
      ["tls13_full", 0],
    ] as const) {
      const connection = replay.open().exchange(captured(exchange));
      const before = read;
      for (const piece of [record, record.subarray(0, 9000), record.subarray(9000), Buffer.concat([record, record])]) {
        connection.fromClient(piece);
      }
      assert.equal(read - before, headers, exchange);
      connection.close();
    }
  });
});

describe("the memory of a VM", () => {
  const module = new WebAssembly.Module(readFileSync(MODULE_FILE));

  for (const [mode, settings] of Object.entries(MODES)) {
    it(`is flat over ${HANDSHAKES} handshakes: ${mode}`, () => {
      // A small cache, so that sessions are evicted, too.
      const replay = new Replay(module, { settings: { ...settings, cache_size: 500 } });
      const exchanges = EXCHANGES.map(([full, resumed]) => [captured(full), captured(resumed)] as const);
      const handshakes = (from: number, count: number): void => {
        for (let i = from; i < from + count; i += 2) {
          const [full, resumed] = exchanges[(i >> 1) % exchanges.length] ?? [[], []];
          replay.run(varied(full, i));
          replay.run(resumed);
          if (i % HANDSHAKES_A_TICK === 0) replay.tick();
        }
      };
      handshakes(0, HANDSHAKES / 5);
      const bytes = replay.memoryBytes;
      handshakes(HANDSHAKES / 5, HANDSHAKES);
      assert.equal(replay.memoryBytes, bytes);
    });

    for (const [connections, waves] of WAVES) {
      it(`is flat when ${connections} connections are opened and dropped ${waves} times: ${mode}`, () => {
        const replay = new Replay(module, { settings });
        const hello = captured("tls12_ticket_resumed")[0]?.bytes ?? Buffer.alloc(0);
        const wave = (): void => {
          // Vanished before the first byte, within the ClientHello, behind it.
          const open = Array.from({ length: connections }, (_, i) => {
            const connection = replay.open();
            const bytes = (hello.length * (i % 3)) >> 1;
            return bytes === 0 ? connection : connection.fromClient(hello.subarray(0, bytes));
          });
          for (const connection of open) connection.close();
          for (let i = 0; i < TICKS; i++) replay.tick();
        };
        wave();
        wave();
        const bytes = replay.memoryBytes;
        for (let i = 0; i < waves; i++) wave();
        assert.equal(replay.memoryBytes, bytes);
      });
    }
  }
});

/** How often the runtime's `__new` was called so far. */
function allocations(replay: Replay): number {
  return Number((replay.vm.exported(COUNTER) as WebAssembly.Global).value);
}

async function buildCounting(): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(BUILD_FOLDER, "counting.wasm");
  const plain = ["--optimizeLevel", "0", "--shrinkLevel", "0", "--debug"];
  const failure = await compileIfChanged(file, { entry: FILTER.entry, options: [...FILTER.options, ...plain] });
  assert.equal(failure, null);
  const module = binaryen.readBinary(new Uint8Array(readFileSync(file)));
  try {
    module.addGlobal(COUNTER, binaryen.i32, true, module.i32.const(0));
    module.addGlobalExport(COUNTER, COUNTER);
    const allocate = module.getFunction(ALLOCATE);
    assert.notEqual(allocate, 0, `the runtime has no ${ALLOCATE}`);
    const { body, params, results, vars } = binaryen.getFunctionInfo(allocate);
    const counted = module.i32.add(module.global.get(COUNTER, binaryen.i32), module.i32.const(1));
    const whole = module.block(null, [module.global.set(COUNTER, counted), module.copyExpression(body)], binaryen.i32);
    module.removeFunction(ALLOCATE);
    module.addFunction(ALLOCATE, params, results, vars, whole);
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}
