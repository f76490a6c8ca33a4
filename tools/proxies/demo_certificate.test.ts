import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { generate } from "selfsigned";
import { makeDemoCertificate } from "./demo_certificate.ts";

const folder = mkdtempSync(join(tmpdir(), "demo-certificate-"));
const file = join(folder, "build", "demo.pem");

after(() => rmSync(folder, { recursive: true }));

test("the certificate is for localhost and 127.0.0.1, fits its key, and can be read by the image's user", async () => {
  await makeDemoCertificate(file);
  const text = readFileSync(file, "utf8");
  const certificate = new X509Certificate(text);
  assert.equal(certificate.checkHost("localhost"), "localhost");
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.ok(certificate.checkPrivateKey(createPrivateKey(text)));
  assert.equal(statSync(file).mode & 0o777, 0o644);
  assert.deepEqual(readdirSync(join(folder, "build")), ["demo.pem"], "nothing else is left behind");
});

test("one that is good is kept; one that ends soon, or is broken, is made again", async () => {
  await makeDemoCertificate(file);
  const first = readFileSync(file, "utf8");
  await makeDemoCertificate(file);
  assert.equal(readFileSync(file, "utf8"), first);

  const soon = new Date(Date.now() + 10 * 86_400_000);
  const ending = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", notAfterDate: soon });
  for (const bad of [`${ending.cert}\n${ending.private}`, ending.cert, first.slice(0, 200), ""]) {
    writeFileSync(file, bad);
    await makeDemoCertificate(file);
    const text = readFileSync(file, "utf8");
    assert.notEqual(text, bad);
    assert.ok(new X509Certificate(text).checkPrivateKey(createPrivateKey(text)));
  }
});
