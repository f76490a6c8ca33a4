/** Whatever an operator should know at once, from counters, filters and settings: {tone, title, text, link}. */
import { count, number } from "./format.js";
import { linkTo } from "./router.js";
import { visible } from "./format.js";

const SETTINGS = [linkTo("settings"), "Settings"];
const FILTERS = [linkTo("filters"), "Filters"];

export function attentionOf({ stats, filters, enforcement, mode, mayChange }) {
  const notes = [];
  const note = (tone, title, text, link) => notes.push({ tone, title, text, link });
  const serving = filters.filter(({ root_id: role, state }) => role !== "admin" && state === "in_force");
  const builds = new Set(filters.filter(({ state }) => state === "in_force").map(({ module }) => module.build));

  if (serving.length === 0) {
    note("bad", "Nobody enforces removals.", "No observer and no guard of this cache is in force.", FILTERS);
  }
  if (filters.some(({ state }) => state === "misplaced")) {
    note("bad", "A filter is in the wrong place", "and does nothing there.", FILTERS);
  }
  if (enforcement === "observe") note("warn", "Enforcement is “observe”:", "removed sessions still resume.", SETTINGS);
  if (mode?.includes("OFF")) note("warn", "The cache is off:", "it learns no sessions.", SETTINGS);
  if (mode?.includes("NO_INTERNAL_STORE"))
    note("info", "The cache learns no sessions", "(NO_INTERNAL_STORE).", SETTINGS);
  if (stats.steering.effective === false) note("warn", "Steering has no effect:", `${visible(stats.steering.why)}.`);
  if (stats.cache_size > 0 && stats.number >= stats.cache_size) {
    const text = `it holds ${number(stats.number)} sessions, and has evicted ${number(stats.cache_full)} before their time.`;
    note("warn", "The cache is full:", text, SETTINGS);
  }
  if (stats.never_resume.length > 0) {
    note("warn", "Upstreams that resume none of their own sessions:", `${stats.never_resume.map(visible).join(", ")}.`);
  }
  if (stats.saturated_pages > 0) {
    note(
      "warn",
      `${count(stats.saturated_pages, "page")} of removals full:`,
      "unknown sessions there count as removed.",
    );
  }
  if (stats.corrupted_pages > 0)
    note("bad", `${count(stats.corrupted_pages, "page")} corrupted:`, "their sessions are lost.");
  if (stats.host_calls_failed > 0)
    note("warn", `${count(stats.host_calls_failed, "call")} of the host failed.`, "See Envoy’s log.");
  if (stats.events_lost > 0) note("info", `${count(stats.events_lost, "event")} lost:`, "the log did not keep up.");
  if (builds.size > 1) note("info", `Filters of ${builds.size} different builds`, "are in force.", FILTERS);
  if (!mayChange) note("info", "This token may only read.", "Changes need one of admin.tokens.");
  return notes;
}
