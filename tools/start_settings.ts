/** The environment variables of `npm start`, read and checked: a SetupError names the variable and what it may hold. */
import { randomBytes } from "node:crypto";
import { splitAddress } from "./proxies/envoy_config.ts";
import { SetupError } from "./setup_error.ts";

export interface StartSettings {
  tlsPort: number;
  httpsPort: number;
  adminPort: number;
  envoyAdminPort: number;
  /** null: demo upstreams are started. */
  upstreams: string[] | null;
  adminToken: string;
  /** Only such a token may be shown on the screen. */
  adminTokenIsMade: boolean;
  adminReadToken: string | null;
  concurrency: number;
  enforcement: string;
  /** null: the best that the chosen Envoy can do. */
  steering: string | null;
}

type Environment = Record<string, string | undefined>;

/** A variable that is set to nothing counts as not set. */
export function readStartSettings(environment: Environment): StartSettings {
  const adminToken = token(environment, "ADMIN_TOKEN");
  const settings: StartSettings = {
    tlsPort: wholeNumber(environment, "TLS_PORT", 10443, 65535),
    httpsPort: wholeNumber(environment, "HTTPS_PORT", 10444, 65535),
    adminPort: wholeNumber(environment, "ADMIN_PORT", 10080, 65535),
    envoyAdminPort: wholeNumber(environment, "ENVOY_ADMIN_PORT", 10901, 65535),
    upstreams: upstreams(environment),
    adminToken: adminToken ?? randomBytes(16).toString("hex"),
    adminTokenIsMade: adminToken === null,
    adminReadToken: token(environment, "ADMIN_READ_TOKEN"),
    concurrency: wholeNumber(environment, "CONCURRENCY", 2, MAX_CONCURRENCY),
    enforcement: oneOf(environment, "ENFORCEMENT", ["revoked", "observe", "strict"]),
    steering: (environment["STEERING"] ?? "") === "" ? null : oneOf(environment, "STEERING", ["hash", "exact", "off"]),
  };
  refusePortsUsedTwice(settings);
  if (settings.adminToken === settings.adminReadToken) {
    throw new SetupError("ADMIN_READ_TOKEN is the same as ADMIN_TOKEN: a token that may only read must be another one");
  }
  return settings;
}

/** Each port with the variable that moves it. */
export function ports(settings: StartSettings): { variable: string; port: number }[] {
  return [
    { variable: "TLS_PORT", port: settings.tlsPort },
    { variable: "HTTPS_PORT", port: settings.httpsPort },
    { variable: "ADMIN_PORT", port: settings.adminPort },
    { variable: "ENVOY_ADMIN_PORT", port: settings.envoyAdminPort },
  ];
}

function refusePortsUsedTwice(settings: StartSettings): void {
  const seen = new Map<number, string>();
  for (const { variable, port } of ports(settings)) {
    const other = seen.get(port);
    if (other !== undefined) throw new SetupError(`${other} and ${variable} are both ${port}: choose different ports`);
    seen.set(port, variable);
  }
}

function wholeNumber(environment: Environment, name: string, fallback: number, largest: number): number {
  const text = environment[name] ?? "";
  if (text === "") return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > largest) throw new SetupError(`${name}=${text} is not a whole number from 1 to ${largest}`);
  return value;
}

/** The first of the values holds if the variable is not set. */
function oneOf(environment: Environment, name: string, values: [string, ...string[]]): string {
  const text = environment[name] ?? "";
  if (text === "") return values[0];
  if (!values.includes(text)) throw new SetupError(`${name}=${text} is not one of ${values.join(", ")}`);
  return text;
}

function upstreams(environment: Environment): string[] | null {
  const text = environment["UPSTREAMS"] ?? "";
  if (text === "") return null;
  const addresses = text.split(",").map((address) => address.trim());
  for (const address of addresses) {
    try {
      splitAddress(address);
    } catch {
      throw new SetupError(
        `UPSTREAMS=${text}: "${address}" is not host:port (as in UPSTREAMS=10.0.0.7:443,10.0.0.8:443)`,
      );
    }
  }
  return addresses;
}

/** The value itself is never repeated: errors end up in logs. */
function token(environment: Environment, name: string): string | null {
  const text = environment[name] ?? "";
  if (text === "") return null;
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) {
    throw new SetupError(`${name} may hold letters, digits and . _ ~ + / - only (a bearer token, RFC 6750)`);
  }
  if (text.length < LEAST_TOKEN) {
    throw new SetupError(
      `${name} is shorter than ${LEAST_TOKEN} characters, so it can be guessed; make one with: openssl rand -hex 32`,
    );
  }
  return text;
}

/** As the filter demands it: `MIN_TOKEN_LENGTH` of assembly/config/parse.ts. */
const LEAST_TOKEN = 8;
const MAX_CONCURRENCY = 256;
