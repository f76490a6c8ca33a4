/**
 * The servers that get mutated hellos, each with its defaults and as it is often configured. Most are those of
 * tests/fixtures/makers. Servers that serve both versions at once, or keep sessions in another way, are started here.
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SERVERS, type Serving } from "../../fixtures/makers/servers.ts";
import { CERT, KEY, PEERS, serve, serveAt, work } from "../../fixtures/workbench.ts";
import type { Running, ServerKind, Variant } from "./lane.ts";

const TICKETS_12 = { version: "1.2", tickets: true } as const;
const IDS_12 = { version: "1.2", tickets: false } as const;
const TICKETS_13 = { version: "1.3", tickets: true } as const;
const STATEFUL_13 = { version: "1.3", tickets: false } as const;

/** Several copies of s_server run, as it serves one connection after the other. */
export const KINDS: readonly ServerKind[] = [
  {
    name: "openssl",
    isRequired: true,
    needs: ["openssl"],
    variants: [
      own("openssl", 4, 1, (port) => serve("openssl", sServer(port, CERT, KEY))),
      own("openssl, no tickets", 4, 1, (port) => serve("openssl", [...sServer(port, CERT, KEY), "-no_ticket"])),
      own("openssl, RSA", 1, 1, (port) => serve("openssl", [...sServer(port, ...rsa()), "-groups", "P-256"])),
    ],
  },
  {
    name: "node",
    isRequired: true,
    needs: [],
    variants: [
      own("node", 1, 16, (port) => serve(process.execPath, nodeServer(port))),
      own("node, no tickets", 1, 16, (port) => serve(process.execPath, [...nodeServer(port), "no_ticket"])),
    ],
  },
  fixture("go", true, 16, [["go", TICKETS_13]]),
  fixture("boringssl", true, 8, [
    ["boringssl, TLS 1.2", TICKETS_12],
    ["boringssl, TLS 1.2, no tickets", IDS_12],
    ["boringssl, TLS 1.3", TICKETS_13],
  ]),
  {
    name: "gnutls",
    isRequired: false,
    needs: ["gnutls-serv"],
    variants: [
      own("gnutls", 1, 4, (port) => gnutls(port)),
      own("gnutls, no tickets", 1, 4, (port) => gnutls(port, "--noticket")),
    ],
  },
  fixture("java", false, 1, [
    ["java, TLS 1.2", TICKETS_12],
    ["java, TLS 1.2, no tickets", IDS_12],
    ["java, TLS 1.3", TICKETS_13],
  ]),
  fixture("rustls", false, 8, [
    ["rustls, tickets", TICKETS_13],
    ["rustls", STATEFUL_13],
  ]),
  {
    name: "nginx",
    isRequired: false,
    needs: ["nginx"],
    variants: [
      { name: "nginx", copies: 1, width: 16, start: (port) => nginx(port, "ssl_session_tickets on;") },
      { name: "nginx, no tickets", copies: 1, width: 16, start: (port) => nginx(port, "ssl_session_tickets off;") },
      { name: "nginx, early data", copies: 1, width: 16, start: (port) => nginx(port, "ssl_early_data on;") },
    ],
  },
  fixture(
    "wolfssl",
    false,
    1,
    [
      ["wolfssl, TLS 1.2", TICKETS_12],
      ["wolfssl, TLS 1.3", TICKETS_13],
    ],
    2,
  ),
  fixture(
    "mbedtls",
    false,
    1,
    [
      ["mbedtls", TICKETS_12],
      ["mbedtls, no tickets", IDS_12],
    ],
    2,
  ),
];

function own(name: string, copies: number, width: number, start: (port: number) => Promise<ChildProcess>): Variant {
  return { name, copies, width, start: async (port) => running(await start(port)) };
}

function fixture(
  name: string,
  isRequired: boolean,
  width: number,
  variants: [string, Pick<Serving, "version" | "tickets">][],
  copies = 1,
): ServerKind {
  const stack = SERVERS[name];
  if (stack === undefined) throw new Error(`tests/fixtures/makers has no ${name}`);
  return {
    name,
    isRequired,
    needs: stack.needs,
    variants: variants.map(([variant, serving]) =>
      own(variant, copies, width, (port) => stack.start({ ...serving, port })),
    ),
  };
}

function running(child: ChildProcess): Running {
  // An output that nobody reads must not fill its pipe.
  child.stdout?.resume();
  child.stderr?.resume();
  return { pid: child.pid ?? 0, stop: () => void child.kill("SIGKILL") };
}

function sServer(port: number, cert: string, key: string): string[] {
  return ["s_server", "-accept", `127.0.0.1:${port}`, "-cert", cert, "-key", key, "-rev"];
}

function nodeServer(port: number): string[] {
  return [join(PEERS, "node_server.mjs"), `${port}`, CERT, KEY, "TLSv1.3"];
}

function gnutls(port: number, ...more: string[]): Promise<ChildProcess> {
  const files = ["--x509certfile", CERT, "--x509keyfile", KEY];
  return serveAt(port, "gnutls-serv", ["--echo", "-q", "-p", `${port}`, "--disable-client-cert", ...files, ...more]);
}

function rsa(): [string, string] {
  const files: [string, string] = [join(work, "rsa.pem"), join(work, "rsa-key.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop.example", "-days", "30"];
  if (!existsSync(files[0])) {
    execFileSync("openssl", [...request, "-out", files[0], "-keyout", files[1]], { stdio: "ignore" });
  }
  return files;
}

/** nginx logs the path of each request, so its log shows which early data has arrived. */
async function nginx(port: number, setting: string): Promise<Running> {
  const folder = join(work, `nginx-${port}`);
  mkdirSync(folder, { recursive: true });
  const log = join(folder, "access.log");
  const file = join(folder, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder};`);
  const server = `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${CERT}; ssl_certificate_key ${KEY};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:S:20m; ${setting} location / { return 200 "yes"; } }`;
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log crit;
events { worker_connections 512; }
http { access_log ${setting.includes("early") ? log : "off"}; ${temporary.join(" ")} ${server} }\n`,
  );
  const child = await serveAt(port, "nginx", ["-c", file, "-e", join(folder, "error.log")]);
  if (!setting.includes("early")) return running(child);
  let seen = "";
  const lines = openSync(log, "r");
  const more = Buffer.alloc(65_536);
  const sawEarly = (mark: string): boolean => {
    for (;;) {
      const length = readSync(lines, more);
      if (length === 0) return seen.includes(mark);
      seen = (seen + more.toString("latin1", 0, length)).slice(-200_000);
    }
  };
  return { ...running(child), sawEarly };
}
