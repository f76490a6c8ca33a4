/** Loads tsx first: a worker thread cannot run TypeScript by itself. */
import { register } from "tsx/esm/api";

register();
await import("./thread.ts");
