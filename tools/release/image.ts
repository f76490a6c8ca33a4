/**
 * The module as an OCI image in the layout "compat", which Istio's agent and Envoy Gateway fetch, and which Kubernetes mounts as an image
 * volume: the last layer is a gzipped tar with `plugin.wasm` in it. An index names it for both machines, as container runtimes refuse
 * an image of another machine; the layer is one.
 *
 * The image is a folder in the OCI image layout (index.json, oci-layout, blobs/sha256). The same module gives the same bytes.
 * Source: OCI image specification 1.1; istio/istio pkg/wasm/imagefetcher.go.
 */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export interface Blob {
  mediaType: string;
  digest: string;
  bytes: Buffer;
}

export interface Image {
  /** Layer and configurations. */
  blobs: Blob[];
  manifests: Blob[];
  index: Blob;
}

export function imageOf(module: Buffer, version: string): Image {
  const tar = tarOf("plugin.wasm", module);
  const layer = blobOf("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(tar, { level: 9 }));
  const title = { "org.opencontainers.image.title": "tls-session-cache", "org.opencontainers.image.version": version };
  const machines = ["amd64", "arm64"].map((architecture) => {
    const configuration = jsonBlob("application/vnd.oci.image.config.v1+json", {
      architecture,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    });
    const manifest = jsonBlob("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: descriptor(configuration),
      layers: [descriptor(layer)],
      annotations: { ...title, "module.wasm.image/variant": "compat" },
    });
    return { configuration, manifest, platform: { architecture, os: "linux" } };
  });
  const index = jsonBlob(INDEX_TYPE, {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: machines.map(({ manifest, platform }) => ({ ...descriptor(manifest), platform })),
    annotations: title,
  });
  return {
    blobs: [layer, ...machines.map(({ configuration }) => configuration)],
    manifests: machines.map(({ manifest }) => manifest),
    index,
  };
}

/** Replaces the folder. `tag` is the name that tools such as skopeo know the image by: `oci:FOLDER:TAG`. */
export function writeLayout({ blobs, manifests, index }: Image, folder: string, tag: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "blobs", "sha256"), { recursive: true });
  for (const { digest, bytes } of [...blobs, ...manifests, index]) {
    writeFileSync(join(folder, "blobs", ...digest.split(":")), bytes);
  }
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const named = { ...descriptor(index), annotations: { "org.opencontainers.image.ref.name": tag } };
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [named] }),
  );
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function blobOf(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: digestOf(bytes), bytes };
}

function jsonBlob(mediaType: string, value: unknown): Blob {
  return blobOf(mediaType, Buffer.from(JSON.stringify(value)));
}

function descriptor({ mediaType, digest, bytes }: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size: bytes.length };
}

/** One file in the format ustar (POSIX 1003.1), owned by nobody in particular, of the time 0. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK)]);
}

const BLOCK = 512;
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
