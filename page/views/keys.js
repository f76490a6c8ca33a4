/** Ticket keys by name: whose they are, and which are removed. */
import { call, get } from "../api.js";
import { openDialog, submits } from "../dialog.js";
import { fill, h } from "../dom.js";
import { field, valuesOf } from "../fields.js";
import { code, count, moment, name, number } from "../format.js";
import { live } from "../live.js";
import { attempt, notify } from "../notices.js";
import { removeKey } from "../removals.js";
import { go, linkTo } from "../router.js";
import { empty, rowButton, table } from "../table.js";

const STATES = {
  learned: ["Learned", ""],
  configured: ["Configured", "info"],
  shared: ["Shared", "warn"],
  removed: ["Removed", "bad"],
};
const MAX_ROWS = 500;

export function keys(root, filters) {
  const search = h(
    "form",
    { class: "filters", role: "search", onsubmit: submits(() => go("keys", valuesOf(search))) },
    field("Upstream", "upstream", filters.upstream, { type: "search", placeholder: "10.0.0.7:443" }),
    h("button", { type: "submit", class: "primary" }, "Search"),
    h("span", { class: "grow" }),
    live.mayChange && [
      h("button", { type: "button", onclick: async () => (await configure()) && void read() }, "Configure a key …"),
      h(
        "button",
        { type: "button", class: "danger-text", onclick: async () => (await removeByName()) && void read() },
        "Remove by name …",
      ),
    ],
  );
  const results = h("div", { class: "panel" });
  fill(
    root,
    search,
    results,
    h(
      "p",
      { class: "note" },
      "A key’s name is the first 16 bytes of its tickets and PSK identities. Shared: seen from several upstreams, so it leads to none of them.",
    ),
  );
  let closed = false;
  void read();
  return { close: () => (closed = true) };

  async function read() {
    const answer = await attempt(() => get("/v1/ticket-keys", filters));
    if (answer === undefined || closed) return;
    const rows = answer.ticket_keys.sort((a, b) => (b.last_used ?? 0) - (a.last_used ?? 0));
    const columns = [
      { label: "Name", cell: (row) => code(row.name, 32) },
      { label: "State", cell: stateOf },
      {
        label: "Upstream",
        kind: "name",
        cell: ({ upstream }) =>
          upstream ? h("a", { href: linkTo("sessions", { upstream }) }, name(upstream)) : name(null),
      },
      { label: "Tickets", kind: "end", cell: ({ tickets }) => number(tickets) },
      { label: "Last used", cell: (row) => moment(row.last_used) },
      live.mayChange && { label: "Change", kind: "act", cell: action },
    ].filter(Boolean);
    fill(
      results,
      rows.length === 0
        ? empty(filters.upstream ? "No ticket key of this upstream." : "No ticket key was seen yet.")
        : table("Ticket keys", columns, rows.slice(0, MAX_ROWS)),
      rows.length > MAX_ROWS &&
        h(
          "p",
          { class: "note" },
          `The last used ${MAX_ROWS} of ${count(rows.length, "key")}; choose an upstream for the others.`,
        ),
    );
  }

  function action(row) {
    if (row.cause === "config") return h("span", { class: "dim" }, "by configuration");
    if (row.state === "removed") {
      return rowButton("Lift", `the removal of ${row.name}`, async () => {
        if ((await attempt(() => call("PUT", `/v1/ticket-keys/${row.name}`))) === undefined) return;
        notify("Removal of the ticket key lifted.");
        void read();
      });
    }
    return rowButton("Remove", row.name, async () => (await removeKey(row.name)) && void read());
  }
}

function stateOf({ state }) {
  const [text, tone] = STATES[state] ?? [state, ""];
  return h("span", { class: `tag ${tone}` }, text);
}

/** Removes a key that need not have been seen, such as a leaked one. */
async function removeByName() {
  const values = await ask("Remove a ticket key", "Go on", [keyField()]);
  return values !== undefined && (await removeKey(values.key));
}

async function configure() {
  const values = await ask("Configure a ticket key", "Configure", [
    keyField(),
    field("Its upstream", "upstream", "", { required: true, placeholder: "10.0.0.7:443" }),
    h(
      "p",
      { class: "note" },
      "Resumptions under this key are steered to this upstream. A removal of the key is lifted.",
    ),
  ]);
  if (values === undefined) return false;
  const { key, upstream } = values;
  const answer = await attempt(() => call("PUT", `/v1/ticket-keys/${encodeURIComponent(key)}`, { upstream }));
  if (answer !== undefined) notify("Ticket key configured.");
  return answer !== undefined;
}

function keyField() {
  return field("Name of the key", "key", "", {
    required: true,
    pattern: "[0-9a-fA-F]{32}",
    title: "32 hexadecimal digits",
    placeholder: "32 hexadecimal digits",
  });
}

/** The values of a form in a dialog; undefined if it was given up. */
function ask(title, action, contents) {
  return openDialog(title, (close) => {
    const form = h(
      "form",
      { class: "stack", onsubmit: submits(() => close(valuesOf(form))) },
      contents,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", onclick: () => close() }, "Cancel"),
        h("button", { type: "submit", class: "primary" }, action),
      ),
    );
    return form;
  });
}
