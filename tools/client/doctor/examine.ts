/** All rules on one configuration. */
import { type Finding, type Path, at, isMembers } from "./finding.ts";
import { linesOf, repairedConfiguration } from "./repair.ts";
import { chainFindings } from "./rules/chains.ts";
import { type MachineOptions, machineFindings } from "./rules/machine.ts";
import { nameFindings, rootIdLines } from "./rules/names.ts";
import { steeringFindings } from "./rules/steering.ts";
import { type Plugin, type Survey, survey } from "./survey.ts";
import { complaintsOf } from "./trial.ts";

export interface Examination {
  findings: Finding[];
  /** How many filters of the session cache the configuration has. */
  plugins: number;
}

/** `root` is a configuration as plain values, whole or a piece. */
export function examine(root: unknown, module: WebAssembly.Module, options: MachineOptions): Examination {
  const seen = survey(root);
  const findings = [
    ...nameFindings(seen),
    ...settingFindings(seen, module),
    ...chainFindings(seen),
    ...steeringFindings(seen),
    ...machineFindings(seen, options),
  ];
  return { findings, plugins: seen.plugins.length };
}

/** Complaints of the module about the filters' own settings. */
function settingFindings({ plugins }: Survey, module: WebAssembly.Module): Finding[] {
  // A form of `configuration` that is not known here cannot be tried.
  const tried = plugins.filter(({ text }) => text !== null);
  return complaintsOf(module, tried).map(({ plugin, fault }) => {
    if (fault.startsWith("root_id ")) return { path: plugin.path, fault, yaml: rootIdLines(plugin) };
    const path = pathOfSettings(plugin);
    if (isAboutEnvironment(fault, plugin)) return { path, fault, yaml: environmentLines() };
    return { path, fault, yaml: repairedConfiguration(module, plugin, fault) };
  });
}

function pathOfSettings({ path, config }: Plugin): Path {
  return at(config, ["configuration"]) === undefined ? path : [...path, "configuration"];
}

/** Variables are named, but do not reach the filter. */
function isAboutEnvironment(fault: string, { settings }: Plugin): boolean {
  return isMembers(settings["admin"]) && fault.includes("host_env_keys");
}

function environmentLines(): string[] {
  return linesOf({ vm_config: { environment_variables: { host_env_keys: ["ADMIN_TOKEN", "ADMIN_READ_TOKEN"] } } });
}
