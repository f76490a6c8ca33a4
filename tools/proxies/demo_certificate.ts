/**
 * The certificate that envoy.yaml's HTTPS listener shows: self-signed, for localhost and 127.0.0.1, made on this machine and
 * never committed. One file holds the certificate and its key, so that it appears whole or not at all and the two always fit.
 *
 * One that is there and has MIN_DAYS_LEFT is kept. Its key is worth nothing: everybody may read it, because the Envoy of the
 * official image runs under a user of its own.
 */
import { X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generate } from "selfsigned";
import { DEMO_CERTIFICATE_FILE } from "../project.ts";

export async function makeDemoCertificate(file = DEMO_CERTIFICATE_FILE): Promise<void> {
  if (isGood(file)) return;
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  mkdirSync(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${made.cert.trim()}\n${made.private.trim()}\n`);
  chmodSync(partial, 0o644);
  renameSync(partial, file);
}

function isGood(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const text = readFileSync(file, "utf8");
    const daysLeft = (Date.parse(new X509Certificate(text).validTo) - Date.now()) / 86_400_000;
    return text.includes("PRIVATE KEY") && daysLeft >= MIN_DAYS_LEFT;
  } catch {
    return false;
  }
}

const MIN_DAYS_LEFT = 30;
