/** Events of sessions, the newest first, followed as they come. */
import { get } from "../api.js";
import { submits } from "../dialog.js";
import { fill, h } from "../dom.js";
import { choice, field, valuesOf } from "../fields.js";
import { clock, code, count, name, number } from "../format.js";
import { go, linkTo } from "../router.js";
import { bar, empty, hidden, rowOf, table } from "../table.js";

const MAX_ROWS = 500;
const MAX_CLIENTS = 5_000;
const LIMIT = 1_000;
const FOLLOW_MILLISECONDS = 2_000;
const TYPES = {
  new: ["New", ""],
  replaced: ["Replaced", ""],
  removed: ["Removed", "warn"],
  evicted: ["Evicted", ""],
  expired: ["Expired", ""],
  flushed: ["Flushed", "warn"],
  refused: ["Refused", "bad"],
  diverted: ["Diverted", "bad"],
};
const SPANS = [
  ["", "As far as the log goes"],
  ["300", "Last 5 minutes"],
  ["3600", "Last hour"],
  ["86400", "Last day"],
];
const COLUMNS = [
  { label: "Time", cell: ({ time }) => clock(time) },
  {
    label: "Event",
    cell: ({ type }) => h("span", { class: `tag ${TYPES[type]?.[1] ?? ""}` }, TYPES[type]?.[0] ?? type),
  },
  { label: "Cause", cell: ({ cause }) => cause.replaceAll("_", " ") },
  { label: "Server name", kind: "name", cell: ({ sni }) => name(sni) },
  { label: "Upstream", kind: "name", cell: ({ upstream }) => name(upstream) },
  { label: "Client", kind: "name", cell: ({ client }) => name(client) },
  {
    label: "ID",
    cell: ({ id }) => (id === null ? "–" : h("a", { href: linkTo("sessions", { id }) }, code(id), hidden(" session"))),
  },
];

export function events(root, filters) {
  const form = h(
    "form",
    { class: "filters", role: "search", onsubmit: submits(() => go("events", valuesOf(form))) },
    choice("Event", "type", filters.type, [
      ["", "Any"],
      ...Object.entries(TYPES).map(([type, [text]]) => [type, text]),
    ]),
    field("Server name", "sni", filters.sni, { type: "search", placeholder: "shop.example" }),
    field("Upstream", "upstream", filters.upstream, { type: "search", placeholder: "10.0.0.7:443" }),
    field("ID", "id", filters.id, { type: "search", placeholder: "whole ID" }),
    choice("Since", "within", filters.within, SPANS),
    h("button", { type: "submit", class: "primary" }, "Search"),
  );
  const status = h("span", { class: "dim" }, "Reading …");
  const follow = h("input", { type: "checkbox", checked: true, onchange: () => follow.checked && void read() });
  const lines = table("Events, the newest first", COLUMNS, []);
  const body = lines.querySelector("tbody");
  const none = h("div");
  const clients = new Map();
  const clientList = h("div");
  fill(
    root,
    form,
    h(
      "div",
      { class: "bar-row" },
      status,
      h("span", { class: "grow" }),
      h("label", { class: "check" }, follow, "Follow"),
    ),
    h("details", { class: "panel" }, h("summary", null, "By client address"), clientList),
    h("div", { class: "panel" }, lines, none),
  );
  const { within, ...query } = filters;
  const since = within === undefined ? undefined : Math.floor(Date.now() / 1000) - Number(within);
  let after;
  let seen = 0;
  let missed = 0;
  let timer = 0;
  let closed = false;
  void read();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };

  /** Reads on from the mark of the last call to the end of the log. */
  async function read() {
    clearTimeout(timer);
    try {
      let isFull = true;
      let fresh = [];
      while (isFull && !closed) {
        const page = await get("/v1/events", { ...query, since, after, limit: LIMIT });
        if (closed) return;
        // The loss of what was before this view began is nothing that it missed.
        if (after !== undefined) missed += page.missed;
        after = page.next;
        isFull = page.events.length === LIMIT;
        seen += page.events.length;
        countClients(page.events);
        fresh = fresh.concat(page.events).slice(-MAX_ROWS);
      }
      add(fresh);
      showStatus();
    } catch (error) {
      status.textContent = error.message;
    }
    if (!closed && follow.checked) timer = setTimeout(() => void read(), FOLLOW_MILLISECONDS);
  }

  /** By address, without the port. */
  function countClients(page) {
    for (const { client } of page) {
      const address = client?.replace(/:\d+$/, "");
      if (address === undefined || (!clients.has(address) && clients.size >= MAX_CLIENTS)) continue;
      clients.set(address, (clients.get(address) ?? 0) + 1);
    }
  }

  function add(page) {
    if (page.length === 0) return;
    body.prepend(...page.map((event) => rowOf(COLUMNS, event)).reverse());
    while (body.children.length > MAX_ROWS) body.lastChild.remove();
    showClients();
  }

  function showStatus() {
    const kept = seen > MAX_ROWS ? `, the newest ${MAX_ROWS} shown` : "";
    const lost = missed > 0 ? `, ${number(missed)} missed` : "";
    status.textContent = seen === 0 ? "" : `${count(seen, "event")}${kept}${lost}`;
    fill(
      none,
      seen === 0 && empty(Object.keys(filters).length > 0 ? "No event matches." : "Nothing has happened yet."),
    );
    if (clients.size === 0) fill(clientList, empty("No event has a client address."));
  }

  function showClients() {
    const sorted = [...clients].sort(([, a], [, b]) => b - a).slice(0, 50);
    const most = sorted[0]?.[1] ?? 1;
    const columns = [
      { label: "Client", kind: "name", cell: ([client]) => name(client) },
      { label: "Events", kind: "end", cell: ([, times]) => number(times) },
      { label: "Share", kind: "share", cell: ([, times]) => bar(times / most) },
    ];
    fill(clientList, table("Events by client address", columns, sorted));
  }
}
