/**
 * tls-sessions as one JavaScript file, which needs Node only: build/client/main.mjs, and beside it the licenses of all that is in it and
 * in the module. The package has these; a clone runs the sources.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { BUILD_FOLDER, PROJECT_FOLDER } from "../project.ts";

export const CLIENT_FOLDER = join(BUILD_FOLDER, "client");

export async function bundleClient(): Promise<void> {
  mkdirSync(CLIENT_FOLDER, { recursive: true });
  const { metafile } = await bundle({
    absWorkingDir: PROJECT_FOLDER,
    entryPoints: ["tools/client/main.ts"],
    outfile: join(CLIENT_FOLDER, "main.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    metafile: true,
    logLevel: "error",
    legalComments: "none",
    // Packages in CommonJS ask for modules of Node's.
    banner: { js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);' },
  });
  writeFileSync(join(CLIENT_FOLDER, "LICENSES.txt"), licenses(packagesOf(Object.keys(metafile.inputs))));
}

/** Folders of packages, relative to the project, sorted. */
function packagesOf(inputs: string[]): string[] {
  const folders = inputs.map((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? "");
  return [...new Set(folders.filter((folder) => folder !== ""))].sort();
}

function licenses(packages: string[]): string {
  const parts = [...packages.map((folder) => [folder, "client"]), ...IN_THE_MODULE.map((folder) => [folder, "module"])];
  return parts
    .map(([folder = "", place]) => {
      const path = join(PROJECT_FOLDER, folder);
      const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as {
        [member: string]: string;
      };
      const files = readdirSync(path).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
      const texts = files.map((file) => readFileSync(join(path, file), "utf8").trim());
      return `${String(name)} ${String(version)} (${String(license)}), in the ${String(place)}\n\n${texts.join("\n\n")}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}

/** Their code is compiled into the module: the runtime of the compiler, and the declarations of the host's functions. */
const IN_THE_MODULE = ["node_modules/assemblyscript", "node_modules/@solo-io/proxy-runtime"];
