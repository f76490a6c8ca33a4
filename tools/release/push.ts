/**
 * Pushes an image to a registry that asks for no password, such as one on this machine (OCI distribution specification 1.1, "Push").
 * The release workflow uses skopeo, which knows how to sign in.
 */
import { SetupError } from "../setup_error.ts";
import type { Blob, Image } from "./image.ts";

export interface Target {
  /** `http://127.0.0.1:5000` */
  registry: string;
  name: string;
  tag: string;
}

/** `127.0.0.1:5000/tls-session-cache:0.1.0`; without a scheme it is http for loopback, else https. */
export function targetOf(text: string): Target {
  const [, scheme, host = "", name = "", tag = ""] =
    /^(https?:\/\/)?([^/\s]+)\/([a-z0-9._/-]+):([A-Za-z0-9._-]{1,128})$/.exec(text) ?? [];
  if (host === "") throw new SetupError(`"${text}" is not HOST/NAME:TAG, as in 127.0.0.1:5000/tls-session-cache:0.1.0`);
  const isHere = /^(127\.|localhost)/.test(host);
  return { registry: `${scheme ?? (isHere ? "http://" : "https://")}${host}`, name, tag };
}

export async function push({ blobs, manifests, index }: Image, target: Target): Promise<void> {
  for (const blob of blobs) await pushBlob(blob, target);
  for (const manifest of manifests) await pushManifest(manifest, target, manifest.digest);
  await pushManifest(index, target, target.tag);
}

async function pushBlob({ digest, bytes }: Blob, { registry, name }: Target): Promise<void> {
  const held = await fetch(`${registry}/v2/${name}/blobs/${digest}`, { method: "HEAD" });
  if (held.status === 200) return;
  const begun = await fetch(`${registry}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const place = begun.headers.get("location");
  if (begun.status !== 202 || place === null)
    throw new SetupError(`${registry}: no upload begins (${String(begun.status)})`);
  const upload = new URL(place, registry);
  upload.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const done = await fetch(upload, { method: "PUT", headers, body: new Uint8Array(bytes) });
  if (done.status !== 201) throw new SetupError(`${registry}: ${digest} is not taken (${String(done.status)})`);
}

async function pushManifest({ mediaType, bytes }: Blob, { registry, name }: Target, reference: string): Promise<void> {
  const headers = { "content-type": mediaType };
  const url = `${registry}/v2/${name}/manifests/${reference}`;
  const done = await fetch(url, { method: "PUT", headers, body: new Uint8Array(bytes) });
  if (done.status !== 201) throw new SetupError(`${url}: the manifest is not taken (${String(done.status)})`);
}
