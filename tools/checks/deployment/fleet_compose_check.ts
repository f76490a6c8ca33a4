/**
 * What can be known about docker-compose.fleet.yml without an engine: that images are pinned and ports stay on loopback, that no token
 * is shipped, that no two services listen on one port, and that Envoys and etcd have what they mount; then Envoy's own word on the
 * configurations that its comments make. tests/e2e/fleet/rbac.test.ts runs its etcd with the same flags and the same scripts.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runCommand } from "../../command.ts";
import { filesOfCertificates, type FleetTls, renderFleetConfig } from "../../proxies/fleet_config.ts";
import { PROJECT_FOLDER } from "../../project.ts";
import { isPinned, type Service } from "./compose_check.ts";

/** A proxy as the comments at the top make its configuration. */
export interface MadeProxy {
  name: string;
  shift: number;
}

/** One line for each thing that is wrong. */
export function fleetComposeFaults(compose: string): string[] {
  const faults: string[] = [];
  const services = servicesOf(compose);
  for (const [name, service] of Object.entries(services)) {
    if (!isPinned(service.image ?? "")) faults.push(`${name}: the image "${service.image}" is not pinned to a version`);
    if (service.network_mode !== "host") faults.push(`${name}: not on host networking, so its ports leave loopback`);
    if (service.ports !== undefined) faults.push(`${name}: publishes ports`);
  }

  const made = madeProxies(compose);
  const certified = /certificates\.sh build\/fleet ([\w -]+)$/m.exec(compose)?.[1]?.split(" ") ?? [];
  const allowed = /etcd_roles\.sh ([\w -]+)$/m.exec(compose)?.[1]?.split(" ") ?? [];
  const bases = new Set<string>();
  const envoys = Object.entries(services).filter(([name]) => name.startsWith("envoy"));
  if (envoys.length < 2) faults.push("there are fewer than two proxies");
  for (const [name, { command = [], environment, volumes = [] }] of envoys) {
    const proxy = /^build\/fleet\/([\w-]+)\.yaml$/.exec(after(command, "-c"))?.[1] ?? "";
    if (!made.some((one) => one.name === proxy)) faults.push(`${name}: nothing makes its configuration`);
    if (!certified.includes(proxy)) faults.push(`${name}: ${proxy} gets no certificate`);
    if (!allowed.includes(proxy)) faults.push(`${name}: ${proxy} gets no role`);
    // Envoys of one network namespace must not share a base id.
    const base = after(command, "--base-id");
    if (base === "" || bases.has(base)) faults.push(`${name}: its base id is another one's`);
    bases.add(base);
    if (!volumes.every((volume) => volume.endsWith(":ro"))) faults.push(`${name}: mounts what it may write`);
    const token = environment?.["ADMIN_TOKEN"] ?? "";
    if (!/^\$\{ADMIN_TOKEN:\?.+\}$/.test(token))
      faults.push(`${name}: ADMIN_TOKEN is not demanded from the environment`);
    if ((environment?.["ADMIN_READ_TOKEN"] ?? null) !== null) faults.push(`${name}: ships a read token`);
  }

  const shifts = made.map(({ shift }) => shift);
  if (new Set(shifts).size < shifts.length) faults.push("two proxies have the same ports");
  return [...faults, ...etcdFaults(services["etcd"])];
}

/** Envoy's complaints about the configurations that the comments make, with certificates as certificates.sh makes them. */
export async function fleetConfigurationFaults(envoy: string, compose: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "tls-session-cache-"));
  try {
    const proxies = madeProxies(compose);
    const names = proxies.map(({ name }) => name);
    const script = join(PROJECT_FOLDER, "deploy/fleet/certificates.sh");
    const { exitCode, output } = await runCommand("sh", [script, folder, ...names], { timeoutSeconds: 60 });
    if (exitCode !== 0) return [`certificates.sh: ${output}`];
    const faults = await Promise.all(
      proxies.map(async ({ name, shift }) => {
        const file = join(folder, `${name}.yaml`);
        writeFileSync(file, withFiles(renderFleetConfig(name, shift, "1.40"), name, filesOfCertificates(folder, name)));
        const validated = await runCommand(envoy, ["--mode", "validate", "-c", file], {
          env: { ...process.env, ADMIN_TOKEN: "check-0123456789" },
          timeoutSeconds: 60,
        });
        return validated.exitCode === 0 ? [] : [`Envoy refuses the configuration of ${name}:\n${validated.output}`];
      }),
    );
    return faults.flat();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The flags with which it runs etcd. */
export function etcdFlagsOf(compose: string): string[] {
  return servicesOf(compose)["etcd"]?.command?.slice(1) ?? [];
}

function servicesOf(compose: string): Record<string, Service> {
  return (parse(compose, { merge: true }) as { services?: Record<string, Service> }).services ?? {};
}

function madeProxies(compose: string): MadeProxy[] {
  const lines = compose.matchAll(/--fleet ([\w-]+)(?: --shift-ports (\d+))? > build\/fleet\/([\w-]+)\.yaml$/gm);
  return [...lines].flatMap(([, name = "", shift = "0", file]) =>
    name === file ? [{ name, shift: Number(shift) }] : [],
  );
}

function etcdFaults(etcd: Service | undefined): string[] {
  const flags = etcd?.command ?? [];
  const needed = ["--client-cert-auth", "--enable-grpc-gateway=false", "--trusted-ca-file=build/fleet/ca.pem"];
  const faults = needed.filter((flag) => !flags.includes(flag)).map((flag) => `etcd: runs without ${flag}`);
  const open = flags.filter((flag) => flag.includes("urls=") && !flag.includes("//127.0.0.1:"));
  return [...faults, ...open.map((flag) => `etcd: ${flag} leaves loopback`)];
}

function withFiles(configuration: string, name: string, files: FleetTls): string {
  const shipped = filesOfCertificates("build/fleet", name);
  return configuration
    .replace(shipped.authority, files.authority)
    .replace(shipped.certificate, files.certificate)
    .replace(shipped.key, files.key);
}

function after(command: string[], flag: string): string {
  const at = command.indexOf(flag);
  return at < 0 ? "" : (command[at + 1] ?? "");
}
