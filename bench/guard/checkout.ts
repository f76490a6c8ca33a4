/**
 * The two builds that are compared: of a commit, in a git worktree of its own, by that commit's own tools and packages; or of the
 * working tree as it is. The worktrees are gone when the measuring ends.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { PROJECT_FOLDER } from "../../tools/project.ts";
import { SetupError } from "../../tools/setup_error.ts";

export interface Checkout {
  /** As it was asked for, with the commit behind it. */
  title: string;
  commit: string;
  /** The filter. */
  moduleFile: string;
  /** The module of `bench:cache`, or why there is none. */
  cacheModuleFile: string | null;
  cacheFailure: string;
}

/** Puts commits side by side; `remove` ends all. */
export class Checkouts {
  private readonly folder = mkdtempSync(join(tmpdir(), "bench-guard-"));
  private readonly worktrees: string[] = [];

  /** Builds a commit. */
  async commit(ref: string): Promise<Checkout> {
    const commit = (await git("rev-parse", "--verify", "--quiet", `${ref}^{commit}`)).trim();
    const tree = join(this.folder, `${this.worktrees.length}-${commit.slice(0, 12)}`);
    await git("worktree", "add", "--detach", tree, commit);
    this.worktrees.push(tree);
    await addPackages(tree);
    return await build(tree, `${ref} (${commit.slice(0, 9)})`, commit);
  }

  /** Builds the working tree, with all that is not committed. */
  async workingTree(): Promise<Checkout> {
    const commit = (await git("rev-parse", "HEAD")).trim();
    const isClean = (await git("status", "--porcelain", "--untracked-files=no")).trim() === "";
    const title = `the working tree (${commit.slice(0, 9)}${isClean ? "" : " and changes"})`;
    return await build(PROJECT_FOLDER, title, isClean ? commit : `${commit}+`);
  }

  async remove(): Promise<void> {
    for (const tree of this.worktrees) await git("worktree", "remove", "--force", tree);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function build(tree: string, title: string, commit: string): Promise<Checkout> {
  const run = (code: string): Promise<{ exitCode: number | null; output: string }> =>
    runCommand(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", code], { folder: tree });
  const filter = await run(BUILD_FILTER);
  const moduleFile = join(tree, "build", "tls-session-cache.wasm");
  if (filter.exitCode !== 0 || !existsSync(moduleFile)) {
    throw new SetupError(`${title} does not build:\n${filter.output}`);
  }
  const cacheModuleFile = join(tree, "build", CACHE_MODULE);
  const cache = await run(BUILD_CACHE);
  const isThere = cache.exitCode === 0 && existsSync(cacheModuleFile);
  return {
    title,
    commit,
    moduleFile,
    cacheModuleFile: isThere ? cacheModuleFile : null,
    cacheFailure: isThere
      ? ""
      : `the module of bench:cache of ${title} does not build: ${cache.output.trim().slice(-500)}`,
  };
}

/** Links the packages that are installed here if the commit wants the same ones, else installs its own. */
async function addPackages(tree: string): Promise<void> {
  const lock = (folder: string): string => readFileSync(join(folder, "package-lock.json"), "utf8");
  if (lock(tree) === lock(PROJECT_FOLDER)) {
    symlinkSync(join(PROJECT_FOLDER, "node_modules"), join(tree, "node_modules"), "dir");
    return;
  }
  const { exitCode, output } = await runCommand("npm", ["ci", "--no-audit", "--no-fund"], { folder: tree });
  if (exitCode !== 0) throw new SetupError(`the packages of ${tree} cannot be installed:\n${output.slice(-2000)}`);
}

async function git(...args: string[]): Promise<string> {
  const { exitCode, output } = await runCommand("git", args);
  if (exitCode === 0) return output;
  throw new SetupError(`git ${args.join(" ")} has failed: ${output.trim() || "there is no such commit"}`);
}

const CACHE_MODULE = "guard-cache.wasm";
const BUILD_FILTER = `
  const { build } = await import("./tools/build.ts");
  const failure = await build();
  if (failure !== null) { console.error(failure); process.exit(1); }`;
const BUILD_CACHE = `
  const { compile } = await import("./tools/compiler/compile.ts");
  const failure = await compile(process.cwd() + "/build/${CACHE_MODULE}", {
    entry: "bench/cache/index.ts",
    options: ["--config", "bench/cache/asconfig.json", "--target", "release"],
    isInlined: true,
  });
  if (failure !== null) { console.error(failure); process.exit(1); }`;
