/**
 * The check `deploy`: everything about deploy/ that can be known without a cluster. Resources of Kubernetes, Istio and Envoy Gateway against
 * the schemas of their kinds; pods, whose times and ports must fit each other; each Envoy part, lifted out of its file, as Envoy reads it; the
 * unit of systemd; Prometheus' rules with their tests. tests/e2e/operating/deploy.test.ts runs the Envoy parts.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { runCommand } from "../../command.ts";
import { MODULE_FILE, PROJECT_FOLDER } from "../../project.ts";
import { configurationOf, containerOf, PARTS } from "./parts/parts.ts";
import { at, DEPLOY_FOLDER, listAt, type Node, nodeAt, readDocuments } from "./parts/yaml_tree.ts";
import { findPrometheusTools } from "./prometheus_tools.ts";
import { resourceFaults } from "./resource_schemas.ts";
import { readRules, type Rule, WATCHING_FOLDER } from "./watching_files.ts";
import type { SuiteResult } from "../suites/suites.ts";

/** A line of a reason instead of faults: this machine lacks a program. */
type Faults = string[] | string;

export async function checkDeployments(envoy: string, progress: (line: string) => void): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), "tls-session-cache-"));
  try {
    const checks: [string, () => Promise<Faults> | Faults][] = [
      ["each file is in deploy/README.md", () => unnamedFiles(readFileSync(join(DEPLOY_FOLDER, "README.md"), "utf8"))],
      [
        "resources fit their schemas",
        () => RESOURCE_FOLDERS.flatMap(filesIn).flatMap((file) => resourceFaults(file, readDocuments(file))),
      ],
      [
        "pods",
        () => [...PODS.flatMap(([file, kind]) => podFaults(file, kind, readDocuments(file))), ...preStopFaults()],
      ],
      ["alerts have a page each", () => runbookFaults(readRules(), readFileSync(RUNBOOK_FILE, "utf8"))],
      ...PARTS.map((part): [string, () => Promise<Faults>] => [
        `Envoy reads ${part.name}`,
        () => envoyFaults(envoy, folder, part.name, configurationOf(part, PLACES)),
      ]),
      ["the unit of systemd", () => unitFaults(envoy, folder, readFileSync(join(DEPLOY_FOLDER, UNIT), "utf8"))],
      ["Prometheus' files", () => prometheusFaults(progress)],
    ];
    const found = await Promise.all(checks.map(async ([name, check]) => ({ name, faults: await check() })));
    const result: SuiteResult = { passed: 0, failed: 0, skipped: 0, output: "" };
    for (const { name, faults } of found) {
      if (typeof faults === "string") {
        progress(`${name}: not checked, as ${faults}`);
        result.skipped++;
      } else if (faults.length > 0) {
        result.failed++;
        result.output += `${name}:\n${faults.join("\n")}\n`;
      } else result.passed++;
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files under deploy/ that its table does not name. */
export function unnamedFiles(readme: string): string[] {
  const all = filesIn("").filter((file) => file !== "README.md");
  return all.filter((file) => !readme.includes(`](${file})`)).map((file) => `deploy/README.md does not link ${file}`);
}

/** Times that must follow each other, ports that must exist, and secrets that must not. */
export function podFaults(file: string, kind: string, documents: Node[]): string[] {
  const resource = documents.find((one) => one.kind === kind);
  if (resource === undefined) return [`${file}: there is no ${kind}`];
  const pod = nodeAt(resource, "spec", "template", "spec");
  const all = [...listAt(pod, "containers"), ...((pod.initContainers as Node[] | undefined) ?? [])];
  const envoy = all.find(({ name }) => name === "envoy");
  if (envoy === undefined) return [`${file}: there is no container envoy`];
  const faults: string[] = [];
  const command = at(envoy, "command") as string[];
  const drain = Number(command[command.indexOf("--drain-time-s") + 1]);
  const script = String((at(envoy, "lifecycle", "preStop", "exec", "command") as string[]).at(-1));
  const sleep = Number(/^sleep (\d+)$/m.exec(script)?.[1]);
  const grace = Number(pod.terminationGracePeriodSeconds);
  if (!(drain < sleep && sleep < grace)) {
    faults.push(
      `${file}: --drain-time-s ${drain}, preStop ${sleep} s and a grace period of ${grace} s do not follow each other`,
    );
  }
  const ports = listAt(envoy, "ports").map(({ name }) => name);
  for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
    const asked = (nodeAt(envoy, probe).httpGet ?? nodeAt(envoy, probe).tcpSocket) as Node | undefined;
    if (!ports.includes(asked?.port ?? "")) faults.push(`${file}: ${probe} asks no port of the container`);
  }
  const tokens = (envoy.envFrom as Node[] | undefined)?.some((from) => "secretRef" in from) ?? false;
  if (!tokens) faults.push(`${file}: the tokens do not come from a Secret`);
  if (documents.some((one) => one.kind === "Secret")) faults.push(`${file}: ships a Secret`);
  return faults;
}

/** The test end to end runs one of them. */
function preStopFaults(): string[] {
  const [one, other] = PODS.map(([file, kind]) => JSON.stringify(at(containerOf(file, kind, "envoy"), "lifecycle")));
  return one === other ? [] : ["the pods' preStop differ"];
}

/** Alerts whose runbook is not a heading of the page. */
export function runbookFaults(rules: Rule[], page: string): string[] {
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, name = ""]) => name);
  const alerts = rules.flatMap(({ alert, annotations }) => (alert === undefined ? [] : [{ alert, annotations }]));
  return [
    ...alerts.filter(({ alert }) => !headings.includes(alert)).map(({ alert }) => `${alert} has no heading`),
    ...alerts
      .filter(({ alert, annotations }) => annotations?.runbook !== `docs/use/watching.md#${alert.toLowerCase()}`)
      .map(({ alert }) => `${alert} leads to another page`),
    ...headings.filter((name) => !alerts.some(({ alert }) => alert === name)).map((name) => `${name} is not an alert`),
  ];
}

async function envoyFaults(envoy: string, folder: string, name: string, configuration: Node): Promise<string[]> {
  const file = join(folder, `${name.replaceAll(" ", "_")}.yaml`);
  writeFileSync(file, JSON.stringify(configuration));
  const { exitCode, output } = await runCommand(envoy, ["--mode", "validate", "-c", file], {
    env: { ...process.env, ADMIN_TOKEN: "check-0123456789" },
    timeoutSeconds: 60,
  });
  const deprecated = output.split("\n").filter((line) => line.includes("Deprecated field"));
  return [...(exitCode === 0 ? [] : [output]), ...deprecated];
}

/** With this machine's Envoy in the place of the one that the unit names, which need not be here. */
export async function unitFaults(envoy: string, folder: string, unit: string): Promise<Faults> {
  const faults: string[] = [];
  const files = Number(/^LimitNOFILE=(\d+)$/m.exec(unit)?.[1]);
  const overload = readDocuments("systemd/envoy.yaml")[0];
  const connections = Number(
    at(overload, "overload_manager", "resource_monitors", 0, "typed_config", "max_active_downstream_connections"),
  );
  if (!(files > 2 * connections)) faults.push(`LimitNOFILE=${files} does not suffice for ${connections} connections`);
  if (/^MemoryDenyWriteExecute=(?!no)/m.test(unit)) faults.push("V8 cannot run under MemoryDenyWriteExecute");
  const file = join(folder, "tls-session-cache.service");
  writeFileSync(file, unit.replace("/usr/local/bin/envoy", envoy));
  const { exitCode, startError, output } = await runCommand("systemd-analyze", ["verify", file], {
    timeoutSeconds: 60,
  });
  if (startError !== null) return faults.length > 0 ? faults : "there is no systemd-analyze here";
  // It says what it ignores, such as an unknown field, and ends with 0 all the same.
  if (exitCode !== 0 || output.includes("tls-session-cache.service")) faults.push(output);
  return faults;
}

async function prometheusFaults(progress: (line: string) => void): Promise<Faults> {
  const tools = await findPrometheusTools(progress);
  if (typeof tools === "string") return tools;
  const runs = [
    ["check", "rules", "alerts.yaml"],
    ["check", "config", "prometheus.yaml"],
    ["test", "rules", "alerts.test.yaml"],
  ];
  const faults: string[] = [];
  for (const args of runs) {
    const { exitCode, output } = await runCommand(tools.promtool, args, {
      folder: WATCHING_FOLDER,
      timeoutSeconds: 120,
    });
    if (exitCode !== 0) faults.push(output);
  }
  return faults;
}

/** All files in a folder under deploy/, relative to it. */
function filesIn(folder: string): string[] {
  return readdirSync(join(DEPLOY_FOLDER, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => existsSync(join(DEPLOY_FOLDER, name)) && !statSync(join(DEPLOY_FOLDER, name)).isDirectory())
    .map((name) => relative(DEPLOY_FOLDER, join(DEPLOY_FOLDER, name)))
    .sort();
}

const RESOURCE_FOLDERS = ["kubernetes", "istio", "envoy-gateway"];
export const PODS: [string, string][] = [
  ["kubernetes/daemonset.yaml", "DaemonSet"],
  ["kubernetes/sidecar.yaml", "Deployment"],
];
const UNIT = "systemd/tls-session-cache.service";
const RUNBOOK_FILE = join(PROJECT_FOLDER, "docs", "use", "watching.md");
/** Only to be read: nothing listens there. */
const PLACES = {
  modulePath: MODULE_FILE,
  upstreams: ["127.0.0.1:10501"],
  tlsPort: 10443,
  adminPort: 10080,
  envoyAdminPort: 10901,
  metricsPort: 10902,
};
