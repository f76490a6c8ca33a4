/**
 * Asks a local port for a page and returns the status, or null if nobody answers in time. Not `fetch`, which refuses
 * some ports unasked, 10080 among them (the list of bad ports in the Fetch standard).
 */
import { request } from "node:http";

export function httpStatus(port: number, path: string, timeoutSeconds = 2): Promise<number | null> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, path, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? null);
    });
    asked.setTimeout(timeoutSeconds * 1000, () => asked.destroy());
    asked.on("error", () => resolve(null));
    asked.on("close", () => resolve(null));
    asked.end();
  });
}
