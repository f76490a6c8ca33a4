/** The command doctor: half-done set-ups in configuration files, or in a running Envoy, each with the lines to put there. */
import { abilitiesOf, SHIPPED_FOR } from "../../proxies/envoy_versions.ts";
import type { Api } from "../api.ts";
import { EXIT, type ExitCode, UsageError } from "../client_error.ts";
import type { Arguments, Command } from "../command.ts";
import { examine } from "../doctor/examine.ts";
import { documentsOf } from "../doctor/file.ts";
import { type Finding, type PlacedFinding, placeOf } from "../doctor/finding.ts";
import { apiFindings, readEnvoy, statsFindings } from "../doctor/running.ts";
import { survey } from "../doctor/survey.ts";
import { packagedModule } from "../package_files.ts";
import { proxyUrl, readFile } from "../proxies.ts";
import type { Screen } from "../screen.ts";
import { counted, onOneLine } from "../text.ts";

export const DOCTOR: Command = {
  name: "doctor",
  usage: "FILE.yaml ... | --envoy-admin URL",
  summary: "Half-done set-ups, in configuration files or in a running Envoy, with the lines to change",
  about: [
    "A FILE is a whole envoy.yaml or a piece of one; - is stdin. Exit code 0 if nothing is found, 1 if something is.",
    "A running Envoy is asked at its own admin, and at the admin API (--proxy) if it has one.",
  ],
  options: {
    "envoy-admin": { value: "URL", about: "look at the running Envoy with this admin, as http://127.0.0.1:10901" },
    envoy: { value: "VERSION", about: `the Envoy that a FILE is for, as 1.39; ${SHIPPED_FOR} by default` },
    elsewhere: { about: "the FILE is for another machine: do not look for the files that it names" },
  },
  prepare: (args) => {
    const admin = args.text("envoy-admin");
    if ((admin === null) === (args.words.length === 0)) {
      throw new UsageError(
        "name the files, or a running Envoy: tls-sessions doctor envoy.yaml, or doctor --envoy-admin URL",
      );
    }
    if (admin !== null) {
      const url = proxyUrl(admin, "--envoy-admin");
      return { runOnAll: async (apis, screen) => print(await examineRunning(url, apis), screen) };
    }
    const findings = examineFiles(args);
    return { runOnAll: (_apis, screen) => Promise.resolve(print(findings, screen)) };
  },
};

function examineFiles(args: Arguments): PlacedFinding[] {
  const version = args.text("envoy") ?? SHIPPED_FOR;
  if (!/^1\.\d{1,3}(\.\d{1,3})?$/.test(version)) throw new UsageError(`--envoy "${version}" is not a version, as 1.39`);
  const { listIsInVmConfig } = abilitiesOf(version);
  const options = { listIsInVmConfig, looksAtFiles: !args.has("elsewhere") };
  const module = new WebAssembly.Module(packagedModule());
  return args.words.flatMap((file) => {
    const text = readFile(file, "doctor");
    const documents = documentsOf(text, file).map((document) => ({
      ...document,
      ...examine(document.root, module, options),
    }));
    const found = documents.flatMap(({ root, findings, lineOf }) =>
      findings.map((finding) => ({ source: file, line: lineOf(finding.path), ...placed(root, finding) })),
    );
    const isWhole = documents.some(({ root }) => survey(root).isComplete);
    if (isWhole && documents.every(({ plugins }) => plugins === 0)) {
      found.push({ source: file, line: 1, ...placed(documents[0]?.root, NO_FILTER) });
    }
    return found;
  });
}

async function examineRunning(admin: string, apis: Api[]): Promise<PlacedFinding[]> {
  const { dump, version, stats } = await readEnvoy(admin);
  const { listIsInVmConfig } = abilitiesOf(version);
  const module = new WebAssembly.Module(packagedModule());
  // A running Envoy has read its files, wherever they are.
  const { findings, plugins } = examine(dump, module, { listIsInVmConfig, looksAtFiles: false });
  const hasApi = survey(dump).plugins.some(({ rootId }) => rootId === "admin");
  const found = (plugins === 0 ? [NO_FILTER] : [...findings, ...statsFindings(stats)]).map((finding) => ({
    source: admin,
    line: null,
    ...placed(dump, finding),
  }));
  for (const api of hasApi ? apis : []) {
    const symptoms = await apiFindings(api);
    found.push(...symptoms.map((finding) => ({ source: api.proxy, line: null, ...placed({}, finding) })));
  }
  return found;
}

function placed(root: unknown, { path, fault, yaml }: Finding): Pick<PlacedFinding, "place" | "fault" | "yaml"> {
  return { place: path.length === 0 ? "" : placeOf(root, path), fault, yaml };
}

function print(findings: PlacedFinding[], screen: Screen): ExitCode {
  if (screen.options.isJson) screen.printJson({ findings });
  else {
    for (const { source, line, place, fault, yaml } of findings) {
      const where = [line === null ? source : `${source}:${String(line)}`, ...(place === "" ? [] : [place])];
      screen.print([onOneLine([...where, fault].join(": ")), ...yaml.map((one) => `    ${one}`)]);
    }
    screen.print([findings.length === 0 ? "nothing is half done" : counted(findings.length, "finding")]);
  }
  return findings.length === 0 ? EXIT.done : EXIT.refused;
}

const NO_FILTER: Finding = {
  path: [],
  fault: "no filter of the session cache is here; tls-sessions config writes one",
  yaml: [],
};
