/**
 * The state of the proxy that all views share: counters every POLL_SECONDS; filters, mode and enforcement less often. A tab that
 * nobody sees asks less often. Each listener is called after each answer.
 */
import { get } from "./api.js";
import { forget, record } from "./history.js";

const POLL_SECONDS = 2;
const HIDDEN_SECONDS = 10;
const SETTINGS_SECONDS = 20;

export const live = {
  stats: null,
  filters: [],
  enforcement: null,
  mode: null,
  timeout: null,
  /** Whether the token may change anything. */
  mayChange: true,
  /** null if the last call was answered. */
  trouble: null,
};
const listeners = new Set();
let timer = 0;
let generation = 0;
let settingsDue = 0;

export function onLive(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Reads everything once, then keeps on. Throws if the first answer is an error. */
export async function start() {
  stop();
  forget();
  await readCounters();
  await readSettings();
  void repeat(generation);
}

export function stop() {
  generation++;
  clearTimeout(timer);
}

/** Reads filters, mode and enforcement again, as after a change of them. */
export async function readSettings() {
  settingsDue = Date.now() + SETTINGS_SECONDS * 1000;
  const [{ filters }, { enforcement }, { mode }, { timeout }] = await Promise.all(
    ["/v1/filters", "/v1/enforcement", "/v1/mode", "/v1/timeout"].map((path) => get(path)),
  );
  Object.assign(live, { filters, enforcement, mode, timeout });
  for (const listener of listeners) listener(live);
}

async function readCounters() {
  live.stats = await get("/v1/stats");
  record(Date.now() / 1000, live.stats);
  for (const listener of listeners) listener(live);
}

async function repeat(mine) {
  timer = setTimeout(
    async () => {
      try {
        await readCounters();
        if (Date.now() > settingsDue) await readSettings();
        live.trouble = null;
      } catch (error) {
        live.trouble = error.message;
        for (const listener of listeners) listener(live);
      }
      if (mine === generation) void repeat(mine);
    },
    (document.hidden ? HIDDEN_SECONDS : POLL_SECONDS) * 1000,
  );
}
