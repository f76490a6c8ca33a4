/** Starts, plays and ends all parts of `npm run demo` (main.ts). */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "../../build.ts";
import type { Statistics } from "../../client/answers.generated.ts";
import { Api } from "../../client/api.ts";
import { type Reading, readingOf } from "../../client/live.ts";
import { Stop } from "../../client/stop.ts";
import { BUILD_FOLDER, DEMO_CERTIFICATE_FILE, MODULE_FILE, PROJECT_FOLDER } from "../../project.ts";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "../../proxies/envoy_config.ts";
import { type EnvoyProcess, startEnvoy } from "../../proxies/envoy_process.ts";
import { freePorts } from "../../proxies/free_ports.ts";
import { SetupError } from "../../setup_error.ts";
import { type DemoUpstream, startDemoUpstream } from "../upstream.ts";
import { Crowd } from "./crowd.ts";
import { picture } from "./picture.ts";
import { type Act, STORY } from "./story.ts";

export async function run(args: string[]): Promise<number> {
  if (args.length > 0) throw new SetupError("npm run demo takes no arguments");
  const binary = await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const servers = await Promise.all(
    Array.from({ length: SERVERS }, (_, index) =>
      startDemoUpstream({ name: `demo-${String(index + 1)}`, tickets: true }),
    ),
  );
  const token = randomBytes(16).toString("hex");
  const [tlsPort = 0, httpsPort = 0, adminPort = 0, envoyAdminPort = 0] = await freePorts(4);
  let envoy: EnvoyProcess | null = null;
  try {
    envoy = await startEnvoy({
      binary,
      configuration: renderEnvoyConfig({
        ...{ tlsPort, httpsPort, adminPort, envoyAdminPort, modulePath: MODULE_FILE },
        upstreams: servers.map(({ address }) => address),
        certificatePath: DEMO_CERTIFICATE_FILE,
      }),
      envoyAdminPort,
      env: { ADMIN_TOKEN: token, ADMIN_READ_TOKEN: undefined },
      folder: join(BUILD_FOLDER, "demo", String(process.pid)),
    });
    return await new Stage(new Api(`http://127.0.0.1:${String(adminPort)}`, token), token, servers, tlsPort).play();
  } finally {
    await Promise.all([envoy?.stop(), ...servers.map((server) => server.close())]);
  }
}

class Stage {
  private readonly isDrawn = process.stdout.isTTY === true && (process.env["CI"] ?? "") === "";
  private readonly stop: Stop;
  private readonly crowd: Crowd;
  private readonly clocks = new Map<string, number>();
  private readonly story: string[] = [];
  private reading: Reading;
  private hint = "q ends";

  constructor(
    private readonly api: Api,
    private readonly token: string,
    private readonly servers: DemoUpstream[],
    port: number,
  ) {
    this.stop = new Stop(this.isDrawn, [api]);
    this.crowd = new Crowd(GUESTS, port);
    this.reading = { proxy: api.proxy, before: null, now: null, seconds: 1, error: null };
  }

  async play(): Promise<number> {
    let failed = 0;
    if (this.isDrawn) process.stdout.write(ENTER);
    const drawing = this.draw();
    try {
      await sleep(WARMING_MILLISECONDS);
      for (const act of STORY) {
        if (this.stop.isAsked) break;
        if (!(await this.perform(act))) failed++;
      }
      this.hint = "the story is over: q ends";
      if (this.isDrawn) await this.stop.orAfter(STAY_SECONDS * 1000);
    } finally {
      this.isOver = true;
      await Promise.all([drawing, this.crowd.stop()]);
      if (this.isDrawn) process.stdout.write(`${LEAVE}${this.story.join("\n")}\n`);
      this.stop.end();
    }
    return failed === 0 ? 0 : 1;
  }

  private isOver = false;

  /** Whether the effect came in time. */
  private async perform(act: Act): Promise<boolean> {
    this.tell(act.says);
    const before = await this.counters();
    const command = await act.command(this.api);
    if (command !== null) {
      this.tell(`$ tls-sessions ${command.join(" ")}`);
      this.tell(await this.answerOf(command));
    }
    for (let waited = 0; waited < PATIENCE_SECONDS * 1000; waited += STEP_MILLISECONDS) {
      if (this.stop.isAsked) return true;
      const now = await this.counters();
      if (act.isDone(before, now)) {
        this.tell(`=> ${act.tells(before, now)}`);
        if (this.isDrawn) await this.stop.orAfter(READING_SECONDS * 1000);
        return true;
      }
      await this.stop.orAfter(STEP_MILLISECONDS);
    }
    this.tell("=> nothing of that has come: this is a fault");
    return false;
  }

  private counters(): Promise<Statistics> {
    return this.api.call("getStatistics").catch((error: unknown) => {
      if (this.stop.isAsked && this.reading.now !== null) return this.reading.now;
      throw error;
    });
  }

  private tell(line: string): void {
    this.story.push(line);
    if (!this.isDrawn) console.log(line);
  }

  /** The first line of the client's own program, as an operator starts it. */
  private answerOf(command: string[]): Promise<string> {
    const launcher = join(PROJECT_FOLDER, "tools", "client", "tls-sessions.mjs");
    const env = { ...process.env, TLS_SESSIONS_TOKEN: this.token, TLS_SESSIONS_PROXY: this.api.proxy };
    const child = spawn(process.execPath, [launcher, ...command], { env, stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
    return new Promise((resolve) => child.on("close", () => resolve(text.split("\n")[0] ?? "")));
  }

  private async draw(): Promise<void> {
    if (!this.isDrawn) return;
    while (!this.isOver && !this.stop.isAsked) {
      this.reading = await readingOf(this.api, this.reading, this.clocks);
      const scene = {
        servers: this.servers.map(({ name }) => name),
        guests: this.crowd.guests,
        ...{ reading: this.reading, story: this.story, hint: this.hint },
      };
      const lines = picture(scene, process.stdout.columns || 80, process.stdout.rows || 24);
      process.stdout.write(HOME + lines.map((line) => `${line}${ERASE_REST_OF_LINE}\n`).join("") + ERASE_BELOW);
      await this.stop.orAfter(FRAME_MILLISECONDS);
    }
  }
}

const SERVERS = 4;
const GUESTS = 18;
const WARMING_MILLISECONDS = 1500;
const STEP_MILLISECONDS = 200;
const FRAME_MILLISECONDS = 500;
/** For an effect to come. */
const PATIENCE_SECONDS = 15;
/** For the reader of a screen. */
const READING_SECONDS = 4;
const STAY_SECONDS = 600;
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const ERASE_REST_OF_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";
