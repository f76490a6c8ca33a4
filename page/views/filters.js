/** The filters of this cache: where they run, since when, which module, and their settings. */
import { fill, h } from "../dom.js";
import { code, count, duration, moment, name, visible } from "../format.js";
import { live, onLive } from "../live.js";
import { empty, facts } from "../table.js";

const STATES = {
  in_force: ["In force", "good"],
  draining: ["Draining", ""],
  starting: ["Starting", "info"],
  misplaced: ["Misplaced", "bad"],
};
const ROLES = {
  observer: "watches handshakes in passthrough, steers and refuses",
  guard: "refuses sessions where Envoy ends TLS",
  admin: "serves this page and the API",
};

export function filters(root) {
  const cards = h("div", { class: "cards" });
  fill(root, cards);
  let shown = "";
  const show = () => {
    const text = JSON.stringify(live.filters);
    if (text === shown) return;
    shown = text;
    fill(cards, live.filters.length === 0 ? empty("No filter is registered.") : live.filters.map(card));
  };
  show();
  return { close: onLive(show) };
}

function card(filter) {
  const [state, tone] = STATES[filter.state] ?? [filter.state, ""];
  return h(
    "section",
    { class: "panel card" },
    h(
      "div",
      { class: "panel-head" },
      h("h2", null, visible(filter.root_id)),
      h("span", { class: `tag ${tone}` }, state),
    ),
    h("p", { class: "note" }, ROLES[filter.root_id] ?? ""),
    facts("", [
      ["Root", name(filter.name)],
      ["Runs on", count(filter.workers, "worker")],
      ["Since", moment(filter.since)],
      ["Envoy", name(filter.envoy)],
      ["Module", visible(filter.module.version), " ", code(filter.module.build)],
      ...Object.entries(filter.settings).map(([setting, value]) => [
        setting,
        textOf(setting, value),
        setting in filter.gives && h("small", { class: "dim" }, " given"),
      ]),
    ]),
  );
}

const SECONDS = ["timeout", "removed_seconds", "ticket_lifetime"];

function textOf(setting, value) {
  if (SECONDS.includes(setting)) return duration(value);
  return visible(Array.isArray(value) ? value.join(", ") : String(value));
}
