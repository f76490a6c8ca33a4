/**
 * `npm run release`: all files of a release in build/release: the module, the npm package, the image's folder, an SBOM (CycloneDX), and
 * the SHA-256 of each file in SHA256SUMS; beside them its notes, build/release_notes.md, the version's section of CHANGELOG.md, or the
 * unreleased one as long as the version has none. `--tag v0.1.0` fails unless that is the version of package.json and has a section.
 *
 * It signs and publishes nothing: .github/workflows/release.yml does.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../build.ts";
import { hashOf } from "../compiler/identity.ts";
import { MODULE_FILE, PROJECT_FOLDER } from "../project.ts";
import { SetupError } from "../setup_error.ts";
import { runTool } from "../run_tool.ts";
import { bundleClient } from "./client_bundle.ts";
import { IMAGE_FOLDER, NOTES_FILE, RELEASE_FOLDER, releasedVersion } from "./files.ts";
import { imageOf, writeLayout } from "./image.ts";
import { notesOf } from "./notes.ts";

await runTool(async (args) => {
  const { values } = parseArgs({ args, options: { tag: { type: "string" } } });
  const version = releasedVersion();
  const changelog = readFileSync(join(PROJECT_FOLDER, "CHANGELOG.md"), "utf8");
  const notes = notesOf(changelog, version);
  if (values.tag !== undefined) checkTag(values.tag, version, notes);
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  await bundleClient();

  rmSync(RELEASE_FOLDER, { recursive: true, force: true });
  mkdirSync(RELEASE_FOLDER, { recursive: true });
  writeFileSync(NOTES_FILE, notes ?? notesOf(changelog, "Unreleased") ?? "");
  const module = `tls-session-cache-${version}.wasm`;
  copyFileSync(MODULE_FILE, join(RELEASE_FOLDER, module));
  npm("pack", "--pack-destination", RELEASE_FOLDER);
  const sbom = `tls-session-cache-${version}.cdx.json`;
  writeFileSync(join(RELEASE_FOLDER, sbom), billOfMaterials());
  const image = imageOf(readFileSync(MODULE_FILE), version);
  writeLayout(image, IMAGE_FOLDER, version);
  const files = [module, `tls-session-cache-${version}.tgz`, sbom];
  const sums = files.map((file) => `${hashOf(readFileSync(join(RELEASE_FOLDER, file)))}  ${file}\n`).join("");
  writeFileSync(join(RELEASE_FOLDER, "SHA256SUMS"), sums);
  console.log(`${sums}image ${image.index.digest}`);
});

function checkTag(tag: string, version: string, notes: string | null): void {
  if (tag !== `v${version}`) throw new SetupError(`the tag is ${tag}, and package.json has ${version}`);
  if (notes === null) throw new SetupError(`CHANGELOG.md has no heading for ${version}`);
}

interface Component {
  name: string;
  purl: string;
}

/**
 * `npm sbom` reads the lock file and the installed packages. It names the project after its folder, and a package after the folder in
 * which it stands for another one, so each gets the name of its URL.
 */
function billOfMaterials(): string {
  const sbom = JSON.parse(npm("sbom", "--sbom-format", "cyclonedx")) as {
    metadata: { component: Component };
    components: Component[];
  };
  for (const component of [sbom.metadata.component, ...sbom.components]) {
    component.name = decodeURIComponent(/^pkg:npm\/(.+)@/.exec(component.purl)?.[1] ?? component.name);
  }
  return `${JSON.stringify(sbom, null, 2)}\n`;
}

function npm(...args: string[]): string {
  const program = process.env["npm_execpath"];
  const [command, first] = program?.endsWith(".js") === true ? [process.execPath, [program]] : ["npm", []];
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], {
    cwd: PROJECT_FOLDER,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new SetupError(`npm ${args.join(" ")} failed: ${stderr.trim().slice(-2000)}`);
  return stdout;
}
