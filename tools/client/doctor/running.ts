/** A running Envoy, by its own admin and by the admin API of the cache. Symptoms that a configuration does not show are findings, too. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { Answers, Statistics } from "../answers.generated.ts";
import type { Api } from "../api.ts";
import { UnreachableError } from "../client_error.ts";
import { counted, onOneLine } from "../text.ts";
import type { Finding } from "./finding.ts";

export interface RunningEnvoy {
  /** The config dump. */
  dump: unknown;
  /** As in 1.40.0. */
  version: string;
  /** Counters and gauges by their names. */
  stats: Map<string, number>;
}

export async function readEnvoy(admin: string): Promise<RunningEnvoy> {
  const [dump, information, stats] = await Promise.all(
    ["/config_dump", "/server_info", "/stats?usedonly"].map((path) => textAt(admin, path)),
  );
  try {
    const { version = "" } = JSON.parse(information ?? "") as { version?: string };
    const values = [...(stats ?? "").matchAll(/^(\S+): (\d+)$/gm)].map(
      ([, name = "", value]) => [name, Number(value)] as const,
    );
    return { dump: JSON.parse(dump ?? ""), version: version.split("/")[1] ?? "", stats: new Map(values) };
  } catch {
    throw new UnreachableError(
      `${admin}: the answer is not that of Envoy's admin; name the address of admin in envoy.yaml`,
    );
  }
}

export function statsFindings(stats: Map<string, number>): Finding[] {
  const findings: string[] = [];
  const rejected = sumOf(stats, /^(listener_manager\.lds|cluster_manager\.cds)\.update_rejected$/);
  if (rejected > 0) findings.push(`${counted(rejected, "update")} of the configuration rejected; Envoy's log says why`);
  const reloads = sumOf(stats, /^wasm\..*vm_reload_success$/);
  if (reloads > 0)
    findings.push(`the module has failed ${counted(reloads, "time")}, and was started again; see Envoy's log`);
  const unfetched = sumOf(stats, /^wasm\..*remote_load_fetch_failures$/);
  if (unfetched > 0) findings.push("the module could not be fetched; look at the store and at the sha256");
  for (const [name, failed] of stats) {
    const [, cluster] = /^cluster\.(.+)\.upstream_cx_connect_fail$/.exec(name) ?? [];
    if (cluster === undefined || failed < (stats.get(`cluster.${cluster}.upstream_cx_total`) ?? Infinity)) continue;
    findings.push(`no server of the cluster "${cluster}" takes a connection (${counted(failed, "attempt")})`);
  }
  return findings.map(symptom);
}

type Filters = Answers["listFilters"]["filters"];

/** What the filters show of themselves. */
export async function apiFindings(api: Api): Promise<Finding[]> {
  const [{ filters }, stats] = await Promise.all([api.call("listFilters"), api.call("getStatistics")]);
  return [...filterFindings(filters), ...countFindings(stats)].map(symptom);
}

export function filterFindings(filters: Filters): string[] {
  const findings = filters
    .filter(({ state }) => state === "misplaced")
    .map(({ name }) => `the filter ${onOneLine(name)} stands in a filter chain of the wrong kind and sees nothing`);
  const inForce = filters.filter(({ state }) => state === "in_force");
  if (!inForce.some(({ root_id: root }) => root !== "admin")) {
    findings.push("no observer or guard works on this cache, so nobody refuses removed sessions");
  }
  const builds = new Set(inForce.map(({ module }) => `${module.version} (${module.build ?? "no build identity"})`));
  if (builds.size > 1) findings.push(`filters in force run different modules: ${[...builds].join(", ")}`);
  return findings;
}

export function countFindings(stats: Statistics): string[] {
  const findings: string[] = [];
  const { steering, not_tls: notTls, failed, accept, accept_good: good } = stats;
  if (steering.effective === false) findings.push(`steering has no effect: ${onOneLine(steering.why)}`);
  if (notTls > 0 && good === 0) {
    findings.push(
      `none of ${counted(notTls, "connection")} was TLS: TLS is terminated in front of the observer, or by nobody`,
    );
  }
  if (failed > 0 && good === 0) {
    findings.push(
      `none of ${counted(accept, "handshake")} came to its end: the servers are away, or their answers are not seen`,
    );
  }
  if (stats.host_calls_failed > 0) {
    findings.push(
      `${counted(stats.host_calls_failed, "call")} of the filters to Envoy failed: compare allowed_capabilities`,
    );
  }
  if (stats.events_lost > 0) findings.push(`${counted(stats.events_lost, "event")} lost`);
  return findings;
}

function symptom(fault: string): Finding {
  return { path: [], fault, yaml: [] };
}

function sumOf(stats: Map<string, number>, pattern: RegExp): number {
  let sum = 0;
  for (const [name, value] of stats) if (pattern.test(name)) sum += value;
  return sum;
}

function textAt(admin: string, path: string): Promise<string> {
  const get = admin.startsWith("https:") ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new UnreachableError(`${admin}: ${onOneLine(error.message)}`));
    const request = get(admin + path, { timeout: PATIENCE_SECONDS * 1000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${String(PATIENCE_SECONDS)} s`)));
    request.on("error", fail);
  });
}

const PATIENCE_SECONDS = 20;
