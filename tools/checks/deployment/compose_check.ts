/**
 * What can be known about docker-compose.yml without an engine: that it runs the shipped envoy.yaml with files that exist, from
 * pinned images, on loopback only, with servers where envoy.yaml expects them, and that it ships no token; then Envoy's own word
 * on the file that it mounts. What else is asked of envoy.yaml is in edge_check.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { parse } from "yaml";
import { runCommand } from "../../command.ts";
import { edgeFaults } from "./edge_check.ts";
import { COMPOSE_FILE, ENVOY_CONFIG_FILE, PROJECT_FOLDER } from "../../project.ts";

export interface Service {
  image?: string;
  network_mode?: string;
  ports?: unknown;
  working_dir?: string;
  command?: string[];
  environment?: Record<string, string | null>;
  volumes?: string[];
}

/** One line for each thing that is wrong. */
export function composeFaults(compose: string, envoyConfig: string): string[] {
  const faults: string[] = [];
  const services = (parse(compose, { merge: true }) as { services?: Record<string, Service> }).services ?? {};
  for (const [name, service] of Object.entries(services)) {
    if (!isPinned(service.image ?? "")) faults.push(`${name}: the image "${service.image}" is not pinned to a version`);
    if (service.network_mode !== "host") faults.push(`${name}: not on host networking, so its ports leave loopback`);
    if (service.ports !== undefined) faults.push(`${name}: publishes ports`);
  }

  const { envoy } = services;
  if (envoy === undefined) return [...faults, "there is no service named envoy"];
  faults.push(...mountFaults(envoy));
  const token = envoy.environment?.["ADMIN_TOKEN"] ?? "";
  if (!/^\$\{ADMIN_TOKEN:\?.+\}$/.test(token)) faults.push("envoy: ADMIN_TOKEN is not demanded from the environment");
  if ((envoy.environment?.["ADMIN_READ_TOKEN"] ?? null) !== null) faults.push("envoy: ships a read token");

  const served = Object.values(services).flatMap(({ environment }) => environment?.["ADDRESS"] ?? []);
  for (const address of upstreamsOf(envoyConfig)) {
    if (!served.includes(address)) faults.push(`envoy.yaml sends to ${address}, where no service listens`);
  }
  return faults;
}

/** Everything wrong with the shipped files, Envoy's own complaint last. */
export async function checkShippedConfiguration(envoyBinary: string): Promise<string[]> {
  const envoyConfig = readFileSync(ENVOY_CONFIG_FILE, "utf8");
  const faults = [...composeFaults(readFileSync(COMPOSE_FILE, "utf8"), envoyConfig), ...edgeFaults(envoyConfig)];
  const { exitCode, output } = await runCommand(envoyBinary, ["--mode", "validate", "-c", "envoy.yaml"], {
    env: { ...process.env, ADMIN_TOKEN: "check-0123456789" },
    timeoutSeconds: 60,
  });
  if (exitCode !== 0) faults.push(`Envoy refuses envoy.yaml:\n${output}`);
  const deprecated = output.split("\n").filter((line) => line.includes("Deprecated field"));
  if (deprecated.length > 0) faults.push(`Envoy will drop what envoy.yaml uses:\n${deprecated.join("\n")}`);
  return faults;
}

export function isPinned(image: string): boolean {
  return /:v?\d+\.\d+(\.\d+)?[^:/]*$/.test(image) || /@sha256:[0-9a-f]{64}$/.test(image);
}

function mountFaults(envoy: Service): string[] {
  const faults: string[] = [];
  const targets: string[] = [];
  for (const volume of envoy.volumes ?? []) {
    const [source = "", target = "", mode = ""] = volume.split(":");
    targets.push(target);
    if (!existsSync(join(PROJECT_FOLDER, source))) faults.push(`envoy: mounts ${source}, which does not exist`);
    if (mode !== "ro") faults.push(`envoy: ${source} is not mounted read-only`);
  }
  const flag = envoy.command?.indexOf("-c") ?? -1;
  const configured = normalize(join(envoy.working_dir ?? "/", envoy.command?.[flag + 1] ?? ""));
  if (flag < 0 || !targets.includes(configured)) faults.push(`envoy: its configuration ${configured} is not mounted`);
  const module = join(envoy.working_dir ?? "/", "build");
  if (!targets.includes(module)) faults.push(`envoy: the module's folder is not mounted at ${module}`);
  return faults;
}

function upstreamsOf(envoyConfig: string): string[] {
  const text = JSON.stringify(
    (parse(envoyConfig) as { static_resources: { clusters: unknown } }).static_resources.clusters,
  );
  const found = [...text.matchAll(/"address":"([^"]+)","port_value":(\d+)/g)];
  return found.map(([, host, port]) => `${host}:${port}`);
}
