/** The sessions that the cache holds: search, pages, removal of one, of some, of all that match. */
import { get, call } from "../api.js";
import { submits } from "../dialog.js";
import { fill, h } from "../dom.js";
import { choice, field, KINDS, valuesOf } from "../fields.js";
import { code, moment, name, number } from "../format.js";
import { listing } from "../listing.js";
import { live } from "../live.js";
import { attempt, notify } from "../notices.js";
import { kindName, removeAll, removeMatching, removeSessions, restore, sessionPath, showSession } from "../removals.js";
import { go } from "../router.js";
import { empty, hidden, rowButton, table } from "../table.js";

export function sessions(root, filters) {
  const form = h(
    "form",
    { class: "filters", role: "search", onsubmit: submits(() => go("sessions", valuesOf(form))) },
    field("Server name", "sni", filters.sni, { type: "search", placeholder: "shop.example" }),
    field("Upstream", "upstream", filters.upstream, { type: "search", placeholder: "10.0.0.7:443" }),
    choice("Kind", "kind", filters.kind, KINDS),
    field("ID", "id", filters.id, { type: "search", placeholder: "hexadecimal" }),
    h("button", { type: "submit", class: "primary" }, "Search"),
    h("span", { class: "grow" }),
    live.mayChange && [
      h(
        "button",
        { type: "button", class: "danger-text", onclick: async () => (await removeMatching(filters)) && list.again() },
        "Remove matching …",
      ),
      h(
        "button",
        { type: "button", class: "danger-text", onclick: async () => (await removeAll()) && list.again() },
        "Remove all …",
      ),
    ],
  );
  const results = h("div");
  fill(root, form, results);
  const { id, ...query } = filters;
  const list =
    id === undefined
      ? listing(results, {
          path: "/v1/sessions",
          field: "sessions",
          query,
          columns: columnsOf(() => list.again()),
          caption: "Sessions",
          noun: "session",
          nothing: Object.keys(query).length > 0 ? "No session matches." : "The cache holds no session yet.",
          bulk: live.mayChange ? [{ text: "Remove", kind: "danger", act: removeSessions }] : [],
        })
      : lookup(results, id);
  return { close: list.close };
}

function columnsOf(changed) {
  return [
    {
      label: "ID",
      cell: (row) =>
        h(
          "button",
          { type: "button", class: "link", onclick: () => void showSession(row, changed) },
          code(row.id),
          hidden(" details"),
        ),
    },
    { label: "Kind", cell: ({ kind }) => h("span", null, h("i", { class: `swatch ${kind}` }), kindName(kind)) },
    { label: "Server name", kind: "name", cell: ({ sni }) => name(sni) },
    { label: "Upstream", kind: "name", cell: ({ upstream }) => name(upstream) },
    { label: "Protocol", kind: "wide", cell: ({ protocol }) => name(protocol) },
    { label: "Hits", kind: "end", cell: ({ hits }) => number(hits) },
    { label: "Last used", kind: "wide", cell: (row) => moment(row.last_used) },
    { label: "Expires", cell: (row) => moment(row.time + row.timeout) },
    live.mayChange && { label: "Remove", kind: "act", cell: removal },
  ].filter(Boolean);
}

/** A button that removes, then one in its place that undoes it; the row stays where it was. */
function removal(row, line) {
  const remove = rowButton("Remove", row.id.slice(0, 12), async () => {
    if (!(await removeSessions([row]))) return;
    line.classList.add("gone");
    remove.replaceWith(undo);
    undo.focus();
  });
  const undo = rowButton("Undo", `the removal of ${row.id.slice(0, 12)}`, async () => {
    if (!(await restore([row]))) return;
    line.classList.remove("gone");
    undo.replaceWith(remove);
    remove.focus();
  });
  return remove;
}

/** One session by its whole ID: held, removed, or never seen. */
function lookup(root, id) {
  const read = async () => {
    try {
      const session = await get(sessionPath(id));
      fill(root, h("div", { class: "panel" }, table("Session", columnsOf(read), [session])));
    } catch (error) {
      const undo = async () => {
        if ((await attempt(() => call("PUT", sessionPath(id)))) === undefined) return;
        notify("Session put back, as it was before.");
        void read();
      };
      const isRemoved = error.status === 410 && live.mayChange;
      fill(
        root,
        h(
          "div",
          { class: "panel" },
          empty(error.message),
          isRemoved && h("p", { class: "actions" }, h("button", { type: "button", onclick: undo }, "Undo the removal")),
        ),
      );
    }
  };
  void read();
  return { again: read, close: () => {} };
}
