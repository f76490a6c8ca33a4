/** The proxies that share this cache's decisions, and how far this one is. */
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { count, duration, moment, name, number, visible } from "../format.js";
import { empty, facts, table } from "../table.js";

const READ_MILLISECONDS = 2_000;
const STATES = { following: "good", replaying: "info", connecting: "warn", off: "" };
const COLUMNS = [
  { label: "Proxy", kind: "name", cell: (row) => name(row.name) },
  { label: "Run", cell: (row) => name(row.run) },
  { label: "Seen", cell: (row) => moment(row.seen) },
  {
    label: "Clock skew",
    kind: "end",
    cell: ({ clock_skew_ms: skew }) => (skew === undefined || skew === null ? "–" : `${number(skew)} ms`),
  },
  { label: "Version", cell: (row) => name(row.version) },
];

export function fleet(root) {
  const panel = h("section", { class: "panel", "aria-label": "This proxy" });
  const proxies = h("div", { class: "panel" });
  fill(root, panel, proxies);
  let timer = 0;
  let closed = false;
  const read = async () => {
    try {
      const answer = await get("/v1/fleet");
      if (closed) return;
      show(answer);
    } catch (error) {
      if (closed) return;
      fill(panel, empty(error.message));
    }
    timer = setTimeout(() => void read(), READ_MILLISECONDS);
  };
  void read();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };

  function show(state) {
    const { pending = {}, last_error: error } = state;
    fill(
      panel,
      h(
        "div",
        { class: "panel-head" },
        h("h2", null, name(state.name, "This proxy")),
        h("span", { class: `tag ${STATES[state.state] ?? ""}` }, visible(String(state.state))),
      ),
      facts("", [
        ["Since", moment(state.since)],
        ["Store heard", typeof state.heard_seconds_ago === "number" ? `${duration(state.heard_seconds_ago)} ago` : "–"],
        [
          "Waiting to be told",
          `${count(pending.decisions ?? 0, "decision")}, ${count(pending.sessions ?? 0, "session")}`,
        ],
        pending.oldest_seconds > 0 && ["The oldest waits", duration(pending.oldest_seconds)],
        ["Told", amount(state.told)],
        ["Applied", amount(state.applied)],
        ["Read again from the start", amount(state.resyncs)],
        ["Skipped", amount(state.skipped)],
        error && [
          "Last error",
          moment(error.time),
          ` · ${visible(String(error.call))}: ${visible(String(error.text))}`,
        ],
      ]),
    );
    const rows = state.proxies ?? [];
    fill(
      proxies,
      rows.length === 0 ? empty("No other proxy was seen yet.") : table("Proxies of the fleet", COLUMNS, rows),
    );
  }
}

/** A number, or the sum of numbers by kind. */
function amount(value) {
  if (typeof value === "number") return number(value);
  if (value === null || value === undefined) return "–";
  return Object.entries(value)
    .map(([kind, part]) => `${number(part)} ${kind.replaceAll("_", " ")}`)
    .join(", ");
}
