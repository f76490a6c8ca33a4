/** The machine behind the figures: the kind of processor, the system, the versions. Nothing that names the machine. */
import { cpus, release } from "node:os";
import { runCommand } from "./command.ts";
import { haproxyVersion } from "./proxies/haproxy.ts";

export async function describeMachine(envoyBinary: string, nodeRuns = "clients and upstream"): Promise<string[]> {
  const { output } = await runCommand(envoyBinary, ["--version"], { timeoutSeconds: 20 });
  const envoy = /\/(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "of an unknown version";
  const cores = cpus();
  // A release may carry the name of who built it.
  const kernel = /^\d+\.\d+/.exec(release())?.[0] ?? "of an unknown version";
  return [
    `${new Date().toISOString().slice(0, 10)}; ${cores[0]?.model.trim() ?? "unknown processor"}, ${cores.length} cores, Linux ${kernel}`,
    `Envoy ${envoy}; HAProxy ${haproxyVersion() ?? "not installed"}; ${nodeRuns}: Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
  ];
}
