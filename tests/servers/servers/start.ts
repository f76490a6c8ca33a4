/**
 * Starts servers, and tries out which handles of a session each accepts, and how often.
 *
 * Promises: `missing` names a server that cannot run, with the reason. `stop` ends all servers, and so does the end of this
 * process, whatever its cause.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { installed } from "../../fixtures/workbench.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { runPlan } from "../client/connection.ts";
import { plainPlan } from "../client/plan.ts";
import { type Session, ticketKey } from "../client/session.ts";
import { TLS12, TLS13 } from "../client/suites.ts";
import { type Base, is13 } from "../mutations/step.ts";
import type { Lane, Running, ServerKind, Variant } from "./lane.ts";

export interface Started {
  lanes: Lane[];
  /** Name and reason. */
  missing: Map<string, string>;
  stop: () => void;
}

export async function startServers(kinds: readonly ServerKind[]): Promise<Started> {
  const lanes: Lane[] = [];
  const missing = new Map<string, string>();
  const all: Running[] = [];
  await Promise.all(
    kinds.map(async (kind) => {
      const absent = kind.needs.filter((command) => !installed(command));
      if (absent.length > 0) return void missing.set(kind.name, `there is no ${absent.join(", ")}`);
      try {
        for (const variant of kind.variants) {
          for (let copy = 0; copy < variant.copies; copy++) lanes.push(await startLane(kind, variant, all));
        }
      } catch (error) {
        missing.set(kind.name, String(error).split("\n").slice(0, 3).join(" "));
      }
    }),
  );
  const watchdog = watch(all.map(({ pid }) => pid));
  return {
    lanes: lanes.filter(({ server }) => !missing.has(server)),
    missing,
    stop: () => {
      for (const running of all) running.stop();
      watchdog.kill("SIGKILL");
    },
  };
}

async function startLane(kind: ServerKind, variant: Variant, all: Running[]): Promise<Lane> {
  const [port] = (await freePorts(1)) as [number];
  const running = await variant.start(port);
  all.push(running);
  let restarting: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    const next = await variant.start(port);
    all.push(next);
    watch([next.pid]);
  };
  const lane = await explore(kind.name, variant, port, running);
  // Many connections may notice the end at the same time: one restart serves all.
  lane.restart = () => (restarting ??= restart().finally(() => (restarting = undefined)));
  return lane;
}

async function explore(server: string, variant: Variant, port: number, running: Running): Promise<Lane> {
  const bases: Base[] = [];
  const facts = { renews: false, reuses: false, hasTicketKey: true };
  let retry: Buffer | undefined;
  for (const base of ALL) {
    if (base === "early" && running.sawEarly === undefined) continue;
    if (base === "full12" || base === "full13") {
      if ((await visit(port, is13(base), true)) !== undefined) bases.push(base);
      continue;
    }
    const session = await visit(port, is13(base), base !== "id");
    if (session === undefined) continue;
    if (base === "both" && (session.id.length === 0 || session.ticket.length === 0)) continue;
    if (base === "ticket" && session.ticket.length === 0) continue;
    const seen = await resume(port, base, session);
    if (seen?.kind !== "resumed") continue;
    bases.push(base);
    retry ??= seen.retry;
    if (base === "id") continue;
    if (!is13(base) && seen.fresh.length > 0) facts.renews = true;
    const other = await visit(port, is13(base), true);
    if (other === undefined || ticketKey(other) !== ticketKey(session)) facts.hasTicketKey = false;
    if (base === "psk") facts.reuses = (await resume(port, base, session))?.kind === "resumed";
  }
  if (!bases.some((base) => !base.startsWith("full"))) throw new Error(`${variant.name} resumes nothing`);
  const hasTickets = bases.some((base) => base !== "id" && !base.startsWith("full"));
  return {
    server,
    name: variant.name,
    port,
    width: variant.width,
    possible: {
      bases,
      ways: ["session", "session", "name"],
      hasBoth: bases.includes("both"),
      renews: facts.renews,
      reuses: facts.reuses,
    },
    hasTicketKey: hasTickets && facts.hasTicketKey,
    sawEarly: running.sawEarly,
    retry,
    restart: () => Promise.resolve(),
  };
}

async function visit(port: number, tls13: boolean, wantsTicket: boolean): Promise<Session | undefined> {
  const plan = plainPlan({ version: tls13 ? TLS13 : TLS12, serverName: "shop.example", wantsTicket });
  return (await runPlan(plan, { port, milliseconds: 3000, wantsTicket: tls13 })).fresh[0];
}

async function resume(port: number, base: Base, session: Session): ReturnType<typeof runPlan> {
  const plan = plainPlan({
    version: is13(base) ? TLS13 : TLS12,
    serverName: "shop.example",
    session,
    ...(base === "id" || base === "ticket" || base === "both" ? { handle: base } : {}),
    ...(base === "retry" ? { shares: [] } : {}),
    ...(base === "early" ? { earlyData: true } : {}),
  });
  if (base === "early") plan.earlyData = [{ sealed: Buffer.from("GET / HTTP/1.0\r\n\r\n") }];
  return await runPlan(plan, { port, milliseconds: 3000 });
}

/** Ends the servers after this process has ended: `read` then gets the end of its input. */
function watch(pids: number[]): ChildProcess {
  const watchdog = spawn("/bin/sh", ["-c", 'read -r _; kill -KILL "$@" 2>/dev/null', "watchdog", ...pids.map(String)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watchdog.unref();
  return watchdog;
}

const ALL: readonly Base[] = ["id", "ticket", "both", "psk", "retry", "early", "full12", "full13"];
