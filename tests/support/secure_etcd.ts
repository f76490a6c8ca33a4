/** An etcd as docker-compose.fleet.yml runs it, with certificates and roles of the scripts in deploy/fleet/. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { etcdFlagsOf } from "../../tools/checks/deployment/fleet_compose_check.ts";
import { findEtcd } from "../../tools/proxies/etcd_binary.ts";
import { filesOfCertificates, type FleetTls } from "../../tools/proxies/fleet_config.ts";
import { BUILD_FOLDER, FLEET_COMPOSE_FILE, PROJECT_FOLDER } from "../../tools/project.ts";
import { Etcd } from "./etcd.ts";

export interface Ended {
  exitCode: number | null;
  output: string;
}

export class SecureEtcd {
  private constructor(
    readonly etcd: Etcd,
    private readonly folder: string,
    private readonly etcdctl: string,
  ) {}

  /** Starts one, with a certificate for each proxy of a list; nobody has a role, and authentication is off. */
  static async start(proxies: string[]): Promise<SecureEtcd> {
    const parent = join(BUILD_FOLDER, "test");
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, "secure-etcd-"));
    succeed(await runScript("certificates.sh", [folder, ...proxies], {}));
    const flags = etcdFlagsOf(readFileSync(FLEET_COMPOSE_FILE, "utf8"))
      .filter((flag) => SECURING.some((name) => flag.startsWith(name)))
      .map((flag) => flag.replace("=build/fleet/", `=${folder}/`));
    const etcd = await Etcd.start({ flags });
    return new SecureEtcd(etcd, folder, join(dirname(await findEtcd(() => undefined)), "etcdctl"));
  }

  async remove(): Promise<void> {
    await this.etcd.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The files of a proxy. */
  certificateOf(name: string): FleetTls {
    return filesOfCertificates(this.folder, name);
  }

  /** Runs etcd_roles.sh for proxies. */
  async giveRoles(proxies: string[], prefix?: string): Promise<void> {
    const environment = { ...this.environmentOf("root"), ...(prefix === undefined ? {} : { PREFIX: prefix }) };
    succeed(await runScript("etcd_roles.sh", proxies, { ETCDCTL: this.etcdctl, ...environment }));
  }

  /** Runs etcdctl with the certificate of a user, or with none. */
  async control(user: string | null, ...args: string[]): Promise<Ended> {
    return await runCommand(this.etcdctl, args, {
      env: { ...process.env, ...this.environmentOf(user) },
      timeoutSeconds: 30,
    });
  }

  private environmentOf(user: string | null): Record<string, string> {
    const { authority, certificate, key } = this.certificateOf(user ?? "root");
    return {
      ETCDCTL_API: "3",
      ETCDCTL_ENDPOINTS: `https://${this.etcd.address}`,
      ETCDCTL_CACERT: authority,
      ...(user === null ? {} : { ETCDCTL_CERT: certificate, ETCDCTL_KEY: key }),
    };
  }
}

async function runScript(name: string, args: string[], environment: Record<string, string>): Promise<Ended> {
  return await runCommand("sh", [join(PROJECT_FOLDER, "deploy/fleet", name), ...args], {
    env: { ...process.env, ...environment },
    timeoutSeconds: 60,
  });
}

function succeed({ exitCode, output }: Ended): void {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${output}`);
}

/** The flags of docker-compose.fleet.yml that are taken over; ports and data are the test's. */
const SECURING = ["--cert-file", "--key-file", "--client-cert-auth", "--trusted-ca-file", "--enable-grpc-gateway"];
