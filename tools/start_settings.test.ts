import assert from "node:assert/strict";
import { test } from "node:test";
import { readStartSettings } from "./start_settings.ts";

test("with nothing set, the ports are those of envoy.yaml and a token is made", () => {
  const settings = readStartSettings({});
  assert.equal(settings.tlsPort, 10443);
  assert.equal(settings.httpsPort, 10444);
  assert.equal(settings.adminPort, 10080);
  assert.equal(settings.envoyAdminPort, 10901);
  assert.equal(settings.concurrency, 2);
  assert.equal(settings.upstreams, null);
  assert.equal(settings.steering, null);
  assert.equal(settings.adminTokenIsMade, true);
  assert.match(settings.adminToken, /^[0-9a-f]{32}$/);
  assert.notEqual(settings.adminToken, readStartSettings({}).adminToken);
});

test("a variable that is set to nothing counts as not set", () => {
  const settings = readStartSettings({ TLS_PORT: "", UPSTREAMS: "", ADMIN_TOKEN: "", ADMIN_READ_TOKEN: "" });
  assert.equal(settings.tlsPort, 10443);
  assert.equal(settings.upstreams, null);
  assert.equal(settings.adminTokenIsMade, true);
  assert.equal(settings.adminReadToken, null);
});

test("upstreams may be names, IPv4 and IPv6 addresses", () => {
  const { upstreams } = readStartSettings({ UPSTREAMS: "10.0.0.7:443, shop.example:8443,[2001:db8::1]:443" });
  assert.deepEqual(upstreams, ["10.0.0.7:443", "shop.example:8443", "[2001:db8::1]:443"]);
});

const SAME = "same-0123456789-same";
const REFUSED: [string, Record<string, string>, RegExp][] = [
  ["a port that is not a number", { TLS_PORT: "https" }, /TLS_PORT=https is not a whole number from 1 to 65535/],
  ["port 0", { ADMIN_PORT: "0" }, /ADMIN_PORT=0/],
  ["a port beyond 65535", { ENVOY_ADMIN_PORT: "65536" }, /ENVOY_ADMIN_PORT=65536/],
  ["a port with a sign or a fraction", { TLS_PORT: "+1.5" }, /TLS_PORT/],
  ["one port for two listeners", { TLS_PORT: "10080" }, /TLS_PORT and ADMIN_PORT are both 10080/],
  ["the HTTPS port for two listeners", { HTTPS_PORT: "10443" }, /TLS_PORT and HTTPS_PORT are both 10443/],
  ["no worker at all", { CONCURRENCY: "0" }, /CONCURRENCY=0 is not a whole number from 1/],
  ["an enforcement that there is not", { ENFORCEMENT: "Strict" }, /ENFORCEMENT=Strict is not one of revoked, observe/],
  ["a steering that there is not", { STEERING: "on" }, /STEERING=on is not one of hash, exact, off/],
  ["an upstream without a port", { UPSTREAMS: "10.0.0.7:443,10.0.0.8" }, /"10\.0\.0\.8" is not host:port/],
  ["an upstream left empty", { UPSTREAMS: "10.0.0.7:443," }, /"" is not host:port/],
  ["an upstream's port out of range", { UPSTREAMS: "10.0.0.7:70000" }, /"10\.0\.0\.7:70000" is not host:port/],
  ["one token for both purposes", { ADMIN_TOKEN: SAME, ADMIN_READ_TOKEN: SAME }, /must be another one/],
  ["a token of seven characters", { ADMIN_TOKEN: "a".repeat(7) }, /ADMIN_TOKEN is shorter than 8 .*openssl rand/],
  ["a short read token", { ADMIN_READ_TOKEN: "short" }, /ADMIN_READ_TOKEN is shorter than 8 characters/],
];
for (const [what, environment, message] of REFUSED) {
  test(`${what} is refused by name, on one line`, () => {
    assert.throws(
      () => readStartSettings(environment),
      (error: Error) => error.name === "SetupError" && message.test(error.message) && !error.message.includes("\n"),
    );
  });
}

test("a token that no header can carry is refused without being repeated", () => {
  assert.throws(
    () => readStartSettings({ ADMIN_TOKEN: "two words" }),
    (error: Error) => /^ADMIN_TOKEN may hold/.test(error.message) && !error.message.includes("two words"),
  );
});
