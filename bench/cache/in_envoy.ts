/**
 * Runs the module for measuring in a real Envoy of its own: on its main thread, with nothing else to do there.
 * Answers what the module said, and the resident memory of the Envoy before and after filling.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "../../tools/envoy_binary.ts";
import { startEnvoy } from "../../tools/envoy_process.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { type Measurements, Reader, type Run, textOf } from "./run.ts";

export async function measureInEnvoy(run: Run, modulePath: string): Promise<Measurements> {
  const [envoyAdminPort] = (await freePorts(1)) as [number];
  const envoy = await startEnvoy({
    binary: await findEnvoy(() => undefined),
    configuration: configurationOf(run, modulePath, envoyAdminPort),
    envoyAdminPort,
    concurrency: 1,
  });
  const reader = new Reader();
  const residentBytes = { before: 0, filled: 0 };
  try {
    const deadline = Date.now() + LONGEST_SECONDS * 1000;
    while (!reader.done) {
      if (Date.now() > deadline) throw new Error(`no result after ${LONGEST_SECONDS} s: ${envoy.log().slice(-2000)}`);
      await sleep(100);
      const phase = reader.phase;
      reader.read(envoy.log());
      if (reader.phase === phase || (reader.phase !== "before" && reader.phase !== "filled")) continue;
      // The module idles for a second: the memory is what it is.
      await sleep(300);
      residentBytes[reader.phase] = residentBytesOf(envoy.pid);
    }
  } finally {
    await envoy.stop();
  }
  return { ...reader.measurements(), bytesPerSession: (residentBytes.filled - residentBytes.before) / run.sessions };
}

function residentBytesOf(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

function configurationOf(run: Run, modulePath: string, envoyAdminPort: number): string {
  return JSON.stringify({
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: envoyAdminPort } } },
    bootstrap_extensions: [
      {
        name: "envoy.bootstrap.wasm",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
          singleton: true,
          config: {
            name: "bench",
            root_id: "bench",
            vm_config: { vm_id: "bench", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: modulePath } } },
            configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: textOf(run) },
          },
        },
      },
    ],
  });
}

const LONGEST_SECONDS = 120;
