/**
 * The dashboard and the alerts of deploy/watching on the metrics of a real Envoy with traffic, one of a fleet: each metric and each label that they name
 * is there; a real Prometheus that scrapes this Envoy evaluates every expression, and its alerts fire for what happened.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { findPrometheusTools } from "../../../tools/checks/deployment/prometheus_tools.ts";
import {
  readDashboard,
  readRules,
  selectorsIn,
  WATCHING_FOLDER,
  withVariables,
} from "../../../tools/checks/deployment/watching_files.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { Etcd } from "../../support/etcd.ts";
import { fleetState, startProxy } from "../../support/fleet.ts";
import { Folder } from "../../support/openssl.ts";
import { eventually, type Stack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const SNI = "shop.example";
let upstream: DemoUpstream;
let stack: Stack;
let etcd: Etcd;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  etcd = await Etcd.start();
  stack = await startProxy(etcd, "edge-1", { upstreams: [upstream.address] });
  await someTraffic();
  await eventually("etcd has all of it", async () => {
    const state = await fleetState(stack);
    assert.deepEqual([state.pending.decisions, state.pending.sessions], [0, 0], JSON.stringify(state));
  });
  // Failed calls have a metric once there is one.
  await etcd.kill();
  await eventually("a call fails", async () => {
    assert.match(await stack.prometheus(), /^tls_session_cache_fleet_calls_failed_total/m);
  });
  await etcd.start();
  await eventually("it follows the fleet again", async () => {
    const state = await fleetState(stack);
    assert.equal(state.state, "following", JSON.stringify(state));
  });
  // So have the records that it reads again.
  await eventually("it has applied records", async () => {
    assert.match(await stack.prometheus(), /^tls_session_cache_fleet_applied_total/m);
  });
});

after(async () => {
  await stack?.stop();
  await etcd?.remove();
  await upstream?.close();
});

describe("the metrics of a running Envoy", () => {
  it("include every metric and label of the dashboard and the alerts", async () => {
    const shown = seriesOf(await stack.prometheus());
    const expressions = [
      ...readDashboard().flatMap(({ expressions: all }) => all),
      ...readRules().map(({ expr }) => expr),
    ];
    const selectors = expressions.flatMap((expression) => selectorsIn(expression));
    assert.ok(selectors.length > 60, `${selectors.length} metrics are named`);
    for (const { metric, labels } of selectors) {
      const series = shown.filter(({ name }) => name === metric);
      assert.ok(series.length > 0, `Envoy has no metric ${metric}`);
      for (const { name, value } of labels.filter(({ name: label }) => !FROM_PROMETHEUS.includes(label))) {
        const values = series.map((one) => one.labels.get(name));
        const found = value === null ? values.some((one) => one !== undefined) : values.includes(value);
        assert.ok(found, `${metric} has no ${name}="${value ?? ""}"`);
      }
    }
  });

  it("show the module that the API shows, with the dots of its version", async () => {
    const { version, build } = ((await stack.stats()) as unknown as { module: { version: string; build: string } })
      .module;
    const shown = (await stack.prometheus()).match(/^tls_session_cache_module_info.*$/gm);
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(shown, [`tls_session_cache_module_info{cache="default",build="${build}",version="${version}"} 1`]);
  });

  it("are all shown by the dashboard or watched by an alert, but for sums of others", async () => {
    const named = [
      ...readDashboard().flatMap(({ expressions }) => expressions),
      ...readRules().map(({ expr }) => expr),
    ].join("\n");
    const ours = new Set(
      seriesOf(await stack.prometheus()).flatMap(({ name }) => (name.startsWith("tls_") ? name : [])),
    );
    assert.deepEqual([...ours].filter((name) => !named.includes(name)).sort(), [...NOT_SHOWN].sort());
  });

  it("show removed ticket keys and revoked names while they are in force", async () => {
    await eventually("both are counted", async () => {
      const shown = await stack.prometheus();
      assert.match(shown, /^tls_session_cache_removed_ticket_keys\{cache="default"\} 1$/m);
      assert.match(shown, /^tls_session_cache_revoked_names\{cache="default"\} 1$/m);
      assert.match(shown, /^tls_session_cache_ticket_keys_learned_total\{cache="default"\} [1-9]/m);
    });
  });
});

describe("a real Prometheus", () => {
  it("evaluates each expression of the dashboard, and fires the alerts of what happened", async (t) => {
    const tools = await findPrometheusTools(() => undefined);
    if (typeof tools === "string" || tools.prometheus === null) {
      return t.skip(typeof tools === "string" ? tools : "there is no prometheus beside promtool");
    }
    const folder = new Folder();
    const [port] = (await freePorts(1)) as [number];
    writeFileSync(folder.file("prometheus.yaml"), fitted(stack.envoyAdminPort));
    const prometheus = spawn(
      tools.prometheus,
      [
        `--config.file=${folder.file("prometheus.yaml")}`,
        `--storage.tsdb.path=${folder.file("data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    prometheus.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const ended = once(prometheus, "exit");
    const ask = async (path: string): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
      const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string };
      assert.equal(status, "success", error);
      return data;
    };
    try {
      // Rates need two samples on either side of what happens.
      await eventually("it has scraped", async () => {
        const { result } = (await ask("query?query=count_over_time(tls_session_cache_size[1m])")) as Answer;
        assert.ok(Number(result[0]?.value[1]) >= 2, log.slice(-500));
      });
      await someTraffic();
      await eventually("the alerts fire", async () => {
        const { alerts } = (await ask("alerts")) as {
          alerts: { labels: { alertname: string; cause?: string }; state: string }[];
        };
        const firing = alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels);
        assert.ok(
          firing.some(({ alertname, cause }) => alertname === "TlsResumptionsRefused" && cause === "sni"),
          JSON.stringify(alerts),
        );
        const pending = alerts.map(({ labels }) => labels.alertname);
        assert.ok(pending.includes("TlsRemovalsInForce"), JSON.stringify(alerts));
        for (const quiet of QUIET) assert.ok(!pending.includes(quiet), `${quiet}: ${JSON.stringify(alerts)}`);
      });
      await sleep(2000);
      for (const { title, expressions } of readDashboard()) {
        for (const expression of expressions) {
          const { result } = (await ask(`query?query=${encodeURIComponent(withVariables(expression))}`)) as Answer;
          if (/ > 0$/.test(expression)) continue;
          assert.ok(result.length > 0, `"${title}" shows nothing: ${expression}`);
        }
      }
      const { groups } = (await ask("rules")) as {
        groups: { rules: { name: string; health: string; lastError?: string }[] }[];
      };
      const rules = groups.flatMap(({ rules: some }) => some);
      assert.equal(rules.length, readRules().length);
      for (const { name, health, lastError } of rules) assert.equal(health, "ok", `${name}: ${lastError ?? health}`);
    } finally {
      prometheus.kill("SIGTERM");
      await ended;
      folder.remove();
    }
  });
});

/** Resumptions of both versions, a removed ticket key, and a refusal by a revoked server name. */
async function someTraffic(): Promise<void> {
  assert.equal((await stack.admin("DELETE", `/v1/revocations/${SNI}`)).status < 500, true);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const { session } = await visit({ port: stack.tlsPort, version, sni: SNI });
    for (let i = 0; i < 3; i++) assert.ok((await visit({ port: stack.tlsPort, version, session, sni: SNI })).resumed);
  }
  const { session } = await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: SNI });
  assert.ok((await stack.admin("DELETE", `/v1/ticket-keys/${"ab".repeat(16)}`)).status < 500);
  assert.equal((await stack.admin("PUT", `/v1/revocations/${SNI}`)).status, 201);
  await assert.rejects(visit({ port: stack.tlsPort, version: "TLSv1.2", session, sni: SNI }));
}

/** The shipped prometheus.yaml with another target, which it scrapes each second. */
function fitted(port: number): string {
  const config = parse(readFileSync(join(WATCHING_FOLDER, "prometheus.yaml"), "utf8")) as {
    global: object;
    rule_files: string[];
    scrape_configs: { static_configs: unknown }[];
  };
  config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
  config.rule_files = config.rule_files.map((file) => join(WATCHING_FOLDER, file));
  for (const scrape of config.scrape_configs) scrape.static_configs = [{ targets: [`127.0.0.1:${port}`] }];
  return stringify(config);
}

interface Answer {
  result: { value: [number, string] }[];
}

interface Series {
  name: string;
  labels: Map<string, string>;
}

function seriesOf(text: string): Series[] {
  return [...text.matchAll(/^(\w+)(?:\{([^}]*)\})? \S+$/gm)].map(([, name = "", labels = ""]) => ({
    name,
    labels: new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value])),
  }));
}

const FROM_PROMETHEUS = ["job", "instance"];
/** Sums of metrics that are shown by kind, by cause or by outcome, and counts of the cache's own look-ups. */
const NOT_SHOWN = [
  "accepts_good_total",
  "declined_total",
  "full_handshakes_total",
  "hits_total",
  "lost_total",
  "misses_total",
  "timeouts_total",
].map((name) => `tls_session_cache_${name}`);
/** Alerts that would be false. */
const QUIET = [
  ...["TlsSessionsNobodyWatches", "TlsSessionCacheAbsent", "TlsConnectionsUnwatched", "TlsSessionModuleFailed"],
  ...["TlsHandshakesMalformed", "TlsSessionEventsLost", "TlsSessionCacheFull", "TlsSessionsNotStored"],
  ...["TlsFleetNotConnected", "TlsFleetBatchesSkipped", "TlsFleetClocksDiffer", "TlsFleetProxiesMissing"],
];
