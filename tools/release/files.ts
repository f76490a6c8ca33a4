/** The places of released files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD_FOLDER, PROJECT_FOLDER } from "../project.ts";

export const RELEASE_FOLDER = join(BUILD_FOLDER, "release");
export const IMAGE_FOLDER = join(RELEASE_FOLDER, "image");
/** Beside the folder, because every file in the folder is uploaded. */
export const NOTES_FILE = join(BUILD_FOLDER, "release_notes.md");

/** The version is that of package.json; a test holds the module's to it. */
export function releasedVersion(): string {
  return (JSON.parse(readFileSync(join(PROJECT_FOLDER, "package.json"), "utf8")) as { version: string }).version;
}
