/**
 * `npm start`: the filter in a real Envoy in front of four demo TLS servers (or UPSTREAMS), until Ctrl-C or SIGTERM.
 *
 * Promises: the last line before it goes quiet begins with `ready`; whatever stops it, everything that it started stops too;
 * a fault that the user can put right is one line on stderr and exit code 1.
 */
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "./build.ts";
import { stopCommands } from "./command.ts";
import { startDemoUpstream, type DemoUpstream } from "./demo/upstream.ts";
import { envoyVersion, findEnvoy } from "./proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "./proxies/envoy_config.ts";
import { startEnvoy, type EnvoyProcess } from "./proxies/envoy_process.ts";
import { abilitiesOf, SHIPPED_FOR } from "./proxies/envoy_versions.ts";
import { httpStatus } from "./http_status.ts";
import { BUILD_FOLDER, DEMO_CERTIFICATE_FILE, MODULE_FILE } from "./project.ts";
import { SetupError } from "./setup_error.ts";
import { ports, readStartSettings, type StartSettings } from "./start_settings.ts";

const DEMO_UPSTREAMS = 4;
const SERVE_SECONDS = 20;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const upstreams: DemoUpstream[] = [];
let envoy: EnvoyProcess | null = null;
let stopping = false;
let serving = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void stop(serving ? 0 : EXIT_CODES[signal]));
}
stopWithParent();

try {
  await start(readStartSettings(process.env));
} catch (error) {
  if (!stopping) {
    console.error(`error: ${error instanceof SetupError ? error.message : String(error)}`);
    await stop(1);
  }
}

async function start(settings: StartSettings): Promise<void> {
  // First what costs nothing to find out.
  for (const { variable, port } of ports(settings)) await refuseUsedPort(variable, port);
  const binary = await findEnvoy(console.log);
  const version = (await envoyVersion(binary)) ?? SHIPPED_FOR;
  refuseInVain(settings, version);

  console.log("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  if (stopping) return;

  const addresses = settings.upstreams ?? (await startDemoUpstreams());
  console.log("starting Envoy ...");
  envoy = await startEnvoy({
    binary,
    configuration: renderEnvoyConfig({
      tlsPort: settings.tlsPort,
      httpsPort: settings.httpsPort,
      adminPort: settings.adminPort,
      envoyAdminPort: settings.envoyAdminPort,
      upstreams: addresses,
      modulePath: MODULE_FILE,
      certificatePath: DEMO_CERTIFICATE_FILE,
      observer: settings.steering === null ? {} : { steering: settings.steering },
      envoyVersion: version,
      cache: { enforcement: settings.enforcement },
    }),
    envoyAdminPort: settings.envoyAdminPort,
    concurrency: settings.concurrency,
    env: { ADMIN_TOKEN: settings.adminToken, ADMIN_READ_TOKEN: settings.adminReadToken ?? undefined },
    folder: join(BUILD_FOLDER, "start", String(settings.tlsPort)),
    onWarning: (line) => console.error(`envoy: ${line}`),
  });
  if (stopping) return void (await envoy.stop());
  void envoy.ended.then((how) => reportEnd(how));

  await untilServing(settings.adminPort);
  if (stopping) return;
  describe(settings, addresses, envoy);
  serving = true;
  console.log("ready: press Ctrl-C to stop");
}

async function startDemoUpstreams(): Promise<string[]> {
  for (let number = 1; number <= DEMO_UPSTREAMS; number++) {
    upstreams.push(await startDemoUpstream({ name: `demo-${number}`, tickets: true }));
  }
  return upstreams.map(({ address }) => address);
}

/** Refuses a setting that is given by name and has no effect on this Envoy. */
function refuseInVain({ steering }: StartSettings, version: string): void {
  const { bestSteering } = abilitiesOf(version);
  const isKept = steering === null || steering === "off" || steering === bestSteering || bestSteering === "hash";
  if (isKept) return;
  throw new SetupError(
    `STEERING=${steering} has no effect on Envoy ${version}: set it to ${bestSteering}, or take a newer Envoy with ENVOY_VERSION=1.40`,
  );
}

/** Envoy shares ports (SO_REUSEPORT), so without this a second start would silently take half of the connections. */
async function refuseUsedPort(variable: string, port: number): Promise<void> {
  const trouble = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(null)));
  });
  if (trouble === null) return;
  const what = trouble.code === "EADDRINUSE" ? "is in use" : `cannot be opened (${trouble.code ?? trouble.message})`;
  throw new SetupError(`port ${port} ${what}: stop what uses it, or choose another one with ${variable}=port`);
}

async function untilServing(adminPort: number): Promise<void> {
  const deadline = Date.now() + SERVE_SECONDS * 1000;
  let last = "no answer";
  while (Date.now() < deadline && !stopping) {
    const status = await httpStatus(adminPort, "/healthz");
    if (status === 200) return;
    if (status !== null) last = `status ${status}`;
    await sleep(50);
  }
  if (!stopping) throw new SetupError(`the admin API did not come up (${last}): see ${envoy?.logFile}`);
}

function describe(settings: StartSettings, addresses: string[], { logFile }: EnvoyProcess): void {
  // A token that the user chose is not put on the screen: the shell fills it in.
  const shown = settings.adminTokenIsMade ? settings.adminToken : "$ADMIN_TOKEN";
  const api = `http://127.0.0.1:${settings.adminPort}`;
  const auth = `-H "Authorization: Bearer ${shown}"`;
  const demo = upstreams.length > 0;
  const servers = demo ? `${upstreams.length} demo upstreams` : "your upstreams";
  const answer = demo ? "upstream demo-1 resumed=false protocol=TLSv1.2" : "what your server answers";
  console.log(`
  TLS passthrough    127.0.0.1:${settings.tlsPort} -> ${servers} ${addresses.join(", ")}
  HTTPS, guarded     https://127.0.0.1:${settings.httpsPort}   certificate: ${relative(process.cwd(), DEMO_CERTIFICATE_FILE)}
  admin API          ${api}   token: ${settings.adminTokenIsMade ? settings.adminToken : "as in ADMIN_TOKEN"}
  its page           ${api}/   for a browser, with the same token
  Envoy's own admin  http://127.0.0.1:${settings.envoyAdminPort}   metrics: /stats/prometheus
  Envoy's log        ${relative(process.cwd(), logFile)}

Try, in another terminal${settings.adminTokenIsMade ? "" : " where ADMIN_TOKEN is set too"}:

1. Let a client negotiate a TLS 1.2 session:
     curl -sk --tls-max 1.2 https://127.0.0.1:${settings.tlsPort}/
   prints${demo ? ` (from any of demo-1 to demo-${DEMO_UPSTREAMS})` : ""}
     ${answer}

2. See what the proxy learned from it:
     curl -s ${auth} ${api}/v1/sessions
   prints
     {"sessions":[{"id":"...","kind":"id","protocol":"TLSv1.2",...,"origin":"observed"}],"next":null}

3. Add a session by hand (once more with -X DELETE removes it):
     curl -s -X PUT ${auth} ${api}/v1/sessions/c0ffee
   prints
     {"result":1,"outcome":"added","session":{"id":"c0ffee","kind":"id",...,"origin":"api"}}
`);
}

function reportEnd(how: string): void {
  if (stopping) return;
  console.error(`error: Envoy ended by itself (${how}): see ${envoy?.logFile}`);
  void stop(1);
}

/** The second call ends at once: the user pressed Ctrl-C again. Envoy then ends with its watchdog. */
async function stop(exitCode: number): Promise<void> {
  if (stopping) process.exit(exitCode);
  stopping = true;
  stopCommands();
  await Promise.all([envoy?.stop(), ...upstreams.map((upstream) => upstream.close())]);
  process.exit(exitCode);
}

/** npm that is killed outright cannot pass the signal on. This timer also keeps the process alive while all is quiet. */
function stopWithParent(): void {
  const parent = process.ppid;
  const underNpm = process.env["npm_lifecycle_event"] !== undefined;
  setInterval(() => {
    if (underNpm && process.ppid !== parent) void stop(1);
  }, 500);
}
