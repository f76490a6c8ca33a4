/**
 * The files of a release: the npm package, installed into an empty folder without any other package; checksums; the SBOM; the image, pushed
 * to a registry and read back as Istio's agent reads it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { MODULE_FILE, PROJECT_FOLDER } from "../../../tools/project.ts";
import { IMAGE_FOLDER, NOTES_FILE, RELEASE_FOLDER, releasedVersion } from "../../../tools/release/files.ts";
import { imageOf } from "../../../tools/release/image.ts";
import { notesOf } from "../../../tools/release/notes.ts";
import { push, targetOf } from "../../../tools/release/push.ts";
import { type Registry, registryProgram, startRegistry, startSmallRegistry } from "../../support/registry.ts";

const VERSION = releasedVersion();
const PACKAGE = join(RELEASE_FOLDER, `tls-session-cache-${VERSION}.tgz`);
const LIMIT_MILLISECONDS = 120_000;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "release-"));
  succeed(process.execPath, ["tools/bootstrap.mjs", "tools/release/release"], PROJECT_FOLDER);
});
after(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

describe("the npm package", () => {
  it("holds the module, the client, the samples and licenses, and nothing else", () => {
    const files = succeed("tar", ["-tzf", PACKAGE]).trim().split("\n");
    const others = files.map((file) => file.replace(/^package\//, "")).filter((file) => !file.startsWith("deploy/"));
    assert.deepEqual(others.sort(), [
      "LICENSE",
      "README.md",
      "build/client/LICENSES.txt",
      "build/client/main.mjs",
      "build/tls-session-cache.wasm",
      "envoy.yaml",
      "package.json",
      "tools/client/tls-sessions.mjs",
    ]);
  });

  it("runs when it is installed alone into an empty folder", () => {
    const home = join(folder, "home");
    mkdirSync(home);
    const options = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
    succeed("npm", ["install", ...options, PACKAGE], home);
    assert.deepEqual(
      readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith(".")),
      ["tls-session-cache"],
    );
    const client = (args: string[], input?: string): string =>
      succeed("npx", ["--no-install", "tls-sessions", ...args], home, input);
    assert.match(client(["--help"]), /^tls-sessions COMMAND /);
    assert.equal(client(["--version"]), `${VERSION}\n`);
    const pieces = client(["config", "--steer", "--admin", "--restrict"]);
    assert.equal(client(["doctor", "-"], pieces), "nothing is half done\n");
    const module = readFileSync(join(home, "node_modules", "tls-session-cache", "build", "tls-session-cache.wasm"));
    assert.ok(module.equals(readFileSync(MODULE_FILE)));
  });

  it("names the license of each package that is in it", () => {
    const text = succeed("tar", ["-xzOf", PACKAGE, "package/build/client/LICENSES.txt"]);
    for (const name of ["yaml", "string-width", "get-east-asian-width", "strip-ansi", "ansi-regex"]) {
      assert.match(text, new RegExp(`^${name} \\d\\S* \\((?:MIT|ISC)\\), in the client$`, "m"));
    }
    assert.match(text, /^assemblyscript \S+ \(Apache-2\.0\), in the module$/m);
  });
});

describe("the files beside it", () => {
  it("have their checksums", () => {
    const checked = succeed("sha256sum", ["--check", "SHA256SUMS"], RELEASE_FOLDER);
    assert.equal(checked.match(/: OK$/gm)?.length, 3, checked);
  });

  it("have an SBOM in CycloneDX that names each package of the lock file", () => {
    const text = readFileSync(join(RELEASE_FOLDER, `tls-session-cache-${VERSION}.cdx.json`), "utf8");
    const sbom = JSON.parse(text) as {
      bomFormat: string;
      specVersion: string;
      metadata: { component: { name: string; version: string } };
      components: { name: string; version: string; hashes?: unknown[]; licenses?: unknown[] }[];
    };
    const { name, version } = sbom.metadata.component;
    assert.deepEqual([sbom.bomFormat, name, version], ["CycloneDX", "tls-session-cache", VERSION]);
    const { devDependencies } = JSON.parse(readFileSync(join(PROJECT_FOLDER, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    for (const [dependency, wanted] of Object.entries(devDependencies)) {
      const isWhole = sbom.components.some(
        ({ name: other, version: locked, hashes = [], licenses = [] }) =>
          other === dependency && locked === wanted && hashes.length > 0 && licenses.length > 0,
      );
      assert.ok(isWhole, `${dependency} ${wanted}`);
    }
  });

  it("are not made for a tag of another version", () => {
    const args = ["tools/bootstrap.mjs", "tools/release/release", "--tag", "v9.9.9"];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: PROJECT_FOLDER, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /^error: the tag is v9\.9\.9, and package\.json has /m);
  });
});

describe("the image", () => {
  const module = readFileSync(MODULE_FILE);

  it("is the same for the same module, and its folder holds it whole", () => {
    const image = imageOf(module, VERSION);
    const index = JSON.parse(readFileSync(join(IMAGE_FOLDER, "index.json"), "utf8")) as {
      manifests: { digest: string }[];
    };
    assert.deepEqual(
      index.manifests.map(({ digest }) => digest),
      [image.index.digest],
    );
    const blobs = readdirSync(join(IMAGE_FOLDER, "blobs", "sha256"));
    assert.equal(blobs.length, 6, "a layer, and of two machines each configuration and manifest, and the index");
    for (const name of blobs) assert.equal(sha256(readFileSync(join(IMAGE_FOLDER, "blobs", "sha256", name))), name);
  });

  it("has a layer that tar reads", () => {
    const [layer] = imageOf(module, VERSION).blobs;
    const listed = succeed("tar", ["-tzvf", "-"], folder, layer?.bytes);
    assert.match(listed, new RegExp(`^-rw-r--r-- 0/0 +${String(module.length)} .* plugin\\.wasm\\n$`));
  });

  it("is read back from a small registry by Istio's rules", () => readBack(startSmallRegistry));

  const program = registryProgram();
  const reason = program === null ? "no docker-registry is installed" : false;
  it("is read back from a real registry by Istio's rules", { skip: reason }, () =>
    readBack(() => startRegistry(program ?? "")),
  );

  async function readBack(start: () => Promise<Registry>): Promise<void> {
    const registry = await start();
    try {
      const target = targetOf(`${registry.host}/edge/tls-session-cache:${VERSION}`);
      const image = imageOf(module, VERSION);
      await push(image, target);
      await push(image, target);
      for (const architecture of ["amd64", "arm64"]) {
        const plugin = await fetchedByIstio(`http://${registry.host}/v2/edge/tls-session-cache`, VERSION, architecture);
        assert.equal(sha256(plugin), sha256(module));
      }
    } finally {
      await registry.stop();
    }
  }
});

describe("the release workflow", () => {
  const workflow = readFileSync(join(PROJECT_FOLDER, ".github", "workflows", "release.yml"), "utf8");

  it("runs scripts that there are, and only on tags", () => {
    const { on, jobs } = parse(workflow) as {
      on: { push: { tags: string[] } };
      jobs: Record<string, { permissions?: Record<string, string>; steps: { run?: string; uses?: string }[] }>;
    };
    assert.deepEqual(on, { push: { tags: ["v*"] } });
    const { scripts } = JSON.parse(readFileSync(join(PROJECT_FOLDER, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const steps = Object.values(jobs).flatMap((job) => job.steps);
    const called = steps.flatMap(({ run = "" }) =>
      [...run.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name = ""]) => name),
    );
    assert.ok(called.includes("release"), called.join(" "));
    for (const name of called) assert.ok(name in scripts, name);
    for (const { uses } of steps) if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w/-]+@v\d+(\.\d+)*$/);
  });

  it("names files that a release has", () => {
    const files = readdirSync(RELEASE_FOLDER);
    for (const name of namesIn(workflow)) assert.ok(files.some(matcherOf(name)), name);
  });

  it("uploads every file of a release, and its signature", () => {
    const signing = commandsOf("cosign sign-blob");
    const uploading = commandsOf("gh release create");
    const signed = released().filter((file) => namesIn(signing).some((name) => matcherOf(name)(file)));
    assert.deepEqual(signed, released(), "each is signed");
    const files = [...signed, ...signed.map((file) => `${file}.sigstore.json`)];
    const uploaded = files.filter((file) => namesIn(uploading).some((name) => matcherOf(name)(file)));
    assert.deepEqual(uploaded, files, "each is uploaded");
  });

  it("has the version's section of the changelog as notes", () => {
    const [, file = ""] = /--notes-file (\S+)/.exec(commandsOf("gh release create")) ?? [];
    assert.equal(join(PROJECT_FOLDER, file), NOTES_FILE);
    const changelog = readFileSync(join(PROJECT_FOLDER, "CHANGELOG.md"), "utf8");
    const section = notesOf(changelog, VERSION) ?? notesOf(changelog, "Unreleased");
    assert.equal(readFileSync(NOTES_FILE, "utf8"), section);
  });

  /** The one step whose commands hold `text`. */
  function commandsOf(text: string): string {
    const { jobs } = parse(workflow) as { jobs: Record<string, { steps: { run?: string }[] }> };
    const steps = Object.values(jobs).flatMap((job) => job.steps);
    const found = steps.map(({ run = "" }) => run).filter((run) => run.includes(text));
    assert.equal(found.length, 1, text);
    return found.join();
  }

  /** Files, not folders: the image goes to a registry. */
  function released(): string[] {
    const entries = readdirSync(RELEASE_FOLDER, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }
});

/** The names and patterns below build/release in a text of the shell. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/build\/release\/([\w.*${}-]+)/g)].map(([, name = ""]) => name);
}

/** Reports whether a name fits a pattern of the shell. */
function matcherOf(pattern: string): (name: string) => boolean {
  const versioned = pattern.replace(/\$\{?\w+\}?/g, VERSION);
  const expression = new RegExp(`^${versioned.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  return (name) => expression.test(name);
}

interface Manifest {
  mediaType: string;
  manifests?: { digest: string; platform: { architecture: string } }[];
  layers?: { mediaType: string; digest: string; size: number }[];
}

/**
 * As pkg/wasm/imagefetcher.go does: of an index the image of the machine; of its manifest the last layer, which is a gzipped tar; in that
 * the file whose base name is plugin.wasm.
 */
async function fetchedByIstio(repository: string, tag: string, architecture: string): Promise<Buffer> {
  const accept = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"].join(", ");
  const manifestOf = async (reference: string): Promise<Manifest> => {
    const answer = await fetch(`${repository}/manifests/${reference}`, { headers: { accept } });
    assert.equal(answer.status, 200, reference);
    return (await answer.json()) as Manifest;
  };
  const index = await manifestOf(tag);
  const chosen = index.manifests?.find(({ platform }) => platform.architecture === architecture);
  const manifest = await manifestOf(chosen?.digest ?? "");
  assert.equal(manifest.mediaType, "application/vnd.oci.image.manifest.v1+json");
  const layer = manifest.layers?.at(-1);
  assert.equal(layer?.mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
  const blob = Buffer.from(await (await fetch(`${repository}/blobs/${layer?.digest ?? ""}`)).arrayBuffer());
  assert.deepEqual([`sha256:${sha256(blob)}`, blob.length], [layer?.digest, layer?.size]);
  const tar = gunzipSync(blob);
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const name = tar.toString("latin1", at, tar.indexOf(0, at));
    const size = parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    if (name.split("/").at(-1) === "plugin.wasm") return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error("the layer has no plugin.wasm");
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function succeed(command: string, args: string[], cwd = folder, input?: string | Buffer): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    timeout: LIMIT_MILLISECONDS,
    ...(input === undefined ? {} : { input }),
  });
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${String(error ?? "")}\n${stdout}\n${stderr}`);
  return stdout;
}
