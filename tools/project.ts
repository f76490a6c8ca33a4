/** Where things are in this project. All paths are absolute, so that a tool works from any folder. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT_FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));
export const BUILD_FOLDER = join(PROJECT_FOLDER, "build");
export const MODULE_FILE = join(BUILD_FOLDER, "tls-session-cache.wasm");
export const DEMO_CERTIFICATE_FILE = join(BUILD_FOLDER, "demo-certificate.pem");
export const ENVOY_CONFIG_FILE = join(PROJECT_FOLDER, "envoy.yaml");
export const COMPOSE_FILE = join(PROJECT_FOLDER, "docker-compose.yml");
export const FLEET_COMPOSE_FILE = join(PROJECT_FOLDER, "docker-compose.fleet.yml");
