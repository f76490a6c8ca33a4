/**
 * Makes assembly/admin/generated/page.generated.ts from page/: one HTML document with its style and its script, minified, compressed, and
 * the policy that allows just this style and this script.
 *
 *   npx tsx tools/generate/page.ts           writes the file
 *   npx tsx tools/generate/page.ts --check   exits 1 if the file is not what would be written
 *
 * Two builds of zlib may compress one text to different bytes, so bytes that hold the same text stay as they are.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { MAX_PAGE_LENGTH, pageOf, type Page } from "../page.ts";
import { PROJECT_FOLDER } from "../project.ts";
import { publish } from "./generated_file.ts";

const TARGET = "assembly/admin/generated/page.generated.ts";
const BYTES_PER_LINE = 28;

const page = await pageOf();
const bytes = compressed(page);
if (bytes.length > MAX_PAGE_LENGTH) {
  throw new Error(
    `the page takes ${bytes.length} bytes; every virtual machine holds it: at most ${MAX_PAGE_LENGTH}, please`,
  );
}
const lines: string[] = [];
for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) lines.push(bytes.subarray(at, at + BYTES_PER_LINE).join(","));

publish(
  TARGET,
  `/**
 * The page as a gzip file, and its headers.
 * Generated from page/ by tools/generate/page.ts.
 */
export const PAGE_LENGTH: i32 = ${bytes.length};
export const PAGE_ETAG: string = '"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"';
// prettier-ignore
export const PAGE_POLICY: string =
  "${page.policy}";
// prettier-ignore
export const PAGE: usize = memory.data<u8>([
${lines.map((line) => `  ${line},`).join("\n")}
]);
`,
);

function compressed({ html }: Page): Buffer {
  const present = presentBytes();
  try {
    if (gunzipSync(present).toString("utf8") === html) return present;
  } catch {
    // There is no page yet, or it is broken.
  }
  return gzipSync(html, { level: 9 });
}

function presentBytes(): Buffer {
  try {
    const text = readFileSync(`${PROJECT_FOLDER}/${TARGET}`, "utf8");
    return Buffer.from((text.split("memory.data<u8>([")[1] ?? "").match(/\d+/g)?.map(Number) ?? []);
  } catch {
    return Buffer.alloc(0);
  }
}
