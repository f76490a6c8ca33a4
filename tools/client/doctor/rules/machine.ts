/** The virtual machine of a filter: the module's file, the engine, and the calls that it may make. */
import { existsSync, readFileSync } from "node:fs";
import { type Finding, isMembers, membersOf, textOf } from "../finding.ts";
import { capabilitiesOf } from "../pieces.ts";
import { linesOf } from "../repair.ts";
import { type Plugin, type Survey, ROOT_IDS, codeOf } from "../survey.ts";

export interface MachineOptions {
  /** Whether files that the configuration names are on this machine. */
  looksAtFiles: boolean;
  /** Of the Envoy that reads the configuration: whether the list of capabilities is a field of vm_config. */
  listIsInVmConfig: boolean;
}

export function machineFindings({ plugins, root, isComplete }: Survey, options: MachineOptions): Finding[] {
  const looksAtFiles = options.looksAtFiles && isComplete;
  return [
    ...plugins.flatMap((plugin) => [
      ...runtimeFindings(plugin),
      ...codeFindings(plugin, looksAtFiles),
      ...capabilityFindings(plugin, options.listIsInVmConfig),
    ]),
    ...(looksAtFiles ? certificateFindings(root) : []),
  ];
}

function runtimeFindings({ config, path }: Plugin): Finding[] {
  const runtime = textOf(membersOf(config["vm_config"])["runtime"]);
  if (runtime === "envoy.wasm.runtime.v8") return [];
  const fault = `runtime is ${runtime || "not set"}, which official Envoys do not have`;
  return [{ path: [...path, "vm_config"], fault, yaml: ["runtime: envoy.wasm.runtime.v8"] }];
}

function codeFindings({ config, path }: Plugin, looksAtFiles: boolean): Finding[] {
  const code = codeOf(config);
  const place = [...path, "vm_config"];
  if (isMembers(code["remote"]) && membersOf(config["vm_config"])["nack_on_code_cache_miss"] !== true) {
    const fault =
      "nack_on_code_cache_miss is not set: while the store is away, or the sha256 is wrong, Envoy takes connections and ends them";
    return [{ path: place, fault, yaml: ["nack_on_code_cache_miss: true"] }];
  }
  const file = textOf(membersOf(code["local"])["filename"]);
  if (file === "" || !looksAtFiles) return [];
  const complaint = moduleComplaint(file);
  if (complaint === null) return [];
  const right = "/etc/envoy/tls-session-cache.wasm";
  const yaml = [
    "code:",
    `  local: { filename: ${right} } # absolute; "npm run build" makes build/tls-session-cache.wasm`,
  ];
  return [{ path: [...place, "code"], fault: `${file}: ${complaint}`, yaml }];
}

function moduleComplaint(file: string): string | null {
  if (!existsSync(file)) {
    return file.startsWith("/") ? "the module is not there" : "the module is not there, seen from this folder";
  }
  const bytes = readFileSync(file);
  if (bytes.subarray(0, 4).toString("latin1") !== "\0asm") return "the file is not Wasm";
  if (!WebAssembly.validate(bytes)) return "the module was cut short, or changed";
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
  return exported.includes("proxy_abi_version_0_2_1") ? null : "this is another module than the session cache's";
}

function capabilityFindings({ config, path, rootId }: Plugin, listIsInVmConfig: boolean): Finding[] {
  const machine = membersOf(config["vm_config"]);
  const outside = config["capability_restriction_config"];
  const inside = machine["capability_restriction_config"];
  if (!ROOT_IDS.includes(rootId)) return [];
  const needed = capabilitiesOf(rootId);
  const list = { capability_restriction_config: { allowed_capabilities: needed } };
  if (outside !== undefined && listIsInVmConfig) {
    const fault = "capability_restriction_config stands beside vm_config, which is deprecated since Envoy 1.40";
    return [{ path: [...path, "vm_config"], fault, yaml: linesOf(list) }];
  }
  if (inside !== undefined && !listIsInVmConfig) {
    const fault = "capability_restriction_config stands in vm_config, which Envoy knows from 1.40 on";
    return [{ path, fault, yaml: linesOf(list) }];
  }
  const place = inside === undefined ? path : [...path, "vm_config"];
  const given = membersOf(inside ?? outside)["allowed_capabilities"];
  // No list, or an empty one, allows everything.
  if (!isMembers(given) || Object.keys(given).length === 0) return [];
  const missing = Object.keys(needed).filter((name) => !(name in given));
  if (missing.length === 0) return [];
  const lines = missing.map((name) => `    ${name}: {}`);
  return [
    {
      path: place,
      fault: `allowed_capabilities of the ${rootId} misses ${missing.join(", ")}`,
      yaml: ["capability_restriction_config:", "  allowed_capabilities: # beside the others", ...lines],
    },
  ];
}

/** Files of certificates and keys that are not there. */
function certificateFindings(root: unknown, path: (string | number)[] = []): Finding[] {
  if (typeof root !== "object" || root === null) return [];
  return Object.entries(root).flatMap(([name, value]) => {
    const place = [...path, Array.isArray(root) ? Number(name) : name];
    const file = textOf(membersOf(value)["filename"]);
    if (!CERTIFICATES.includes(name) || file === "") return certificateFindings(value, place);
    if (existsSync(file)) return [];
    const fault = `${file}: the file of ${name} is not there`;
    return [{ path: place, fault, yaml: [`${name}: { filename: /etc/envoy/${name}.pem } # a file that is there`] }];
  });
}

const CERTIFICATES = ["certificate_chain", "private_key", "trusted_ca"];
