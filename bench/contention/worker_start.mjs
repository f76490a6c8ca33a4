/** Loads a worker of TypeScript into a thread. */
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
