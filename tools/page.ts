/**
 * The page of the admin listener as one HTML document, from the sources in page/: index.html with style.css and main.js (and the modules
 * that it imports) in the places of their comments, minified. The same sources give the same text on every machine.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { PROJECT_FOLDER } from "./project.ts";

export const PAGE_FOLDER = join(PROJECT_FOLDER, "page");
/** In bytes, compressed: every virtual machine holds them. */
export const MAX_PAGE_LENGTH = 40_960;

export interface Page {
  html: string;
  /** The value of Content-Security-Policy: this script and this style by their hashes, calls to the page's own origin, and nothing else. */
  policy: string;
}

export async function pageOf(folder = PAGE_FOLDER): Promise<Page> {
  const [style, script] = await Promise.all([
    minified(join(folder, "style.css"), {}),
    minified(join(folder, "main.js"), { format: "iife" }),
  ]);
  const html = readFileSync(join(folder, "index.html"), "utf8")
    .replace(/>\s+</g, "><")
    .trim()
    .replace(PLACE_OF_STYLE, () => `<style>${style}</style>`)
    .replace(PLACE_OF_SCRIPT, () => `<script>${script}</script>`);
  return { html, policy: policyOf(style, script) };
}

function policyOf(style: string, script: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

async function minified(file: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    write: false,
    target: ["chrome109", "firefox115", "safari16.4"],
    legalComments: "none",
    charset: "utf8",
    ...options,
  });
  return (outputFiles?.[0]?.text ?? "").trim();
}

const PLACE_OF_STYLE = "<!-- style -->";
const PLACE_OF_SCRIPT = "<!-- script -->";
