/** Removed sessions that are still refused: search, pages, their undoing, and their way to another proxy. */
import { submits } from "../dialog.js";
import { fill, h } from "../dom.js";
import { choice, field, KINDS, valuesOf } from "../fields.js";
import { code, moment, name } from "../format.js";
import { listing } from "../listing.js";
import { live } from "../live.js";
import { kindName, restore } from "../removals.js";
import { go, linkTo } from "../router.js";
import { hidden, rowButton } from "../table.js";
import { exportRemovals, importRemovals } from "../transfer.js";

const CAUSES = { api: "API", flush: "All removed", config: "Configuration" };

export function removed(root, filters) {
  const form = h(
    "form",
    { class: "filters", role: "search", onsubmit: submits(() => go("removed", valuesOf(form))) },
    field("Server name", "sni", filters.sni, { type: "search", placeholder: "shop.example" }),
    field("Upstream", "upstream", filters.upstream, { type: "search", placeholder: "10.0.0.7:443" }),
    choice("Kind", "kind", filters.kind, KINDS),
    choice("Cause", "cause", filters.cause, [["", "Any"], ...Object.entries(CAUSES)]),
    h("button", { type: "submit", class: "primary" }, "Search"),
    h("span", { class: "grow" }),
    h("button", { type: "button", onclick: exportRemovals }, "Export removals …"),
    live.mayChange &&
      h(
        "button",
        { type: "button", onclick: async () => (await importRemovals()) && list.again() },
        "Import removals …",
      ),
  );
  const results = h("div");
  fill(root, form, results);
  const list = listing(results, {
    path: "/v1/removed",
    field: "removed",
    query: filters,
    caption: "Removed sessions",
    noun: "removed session",
    nothing: Object.keys(filters).length > 0 ? "No removed session matches." : "No session is removed.",
    bulk: live.mayChange ? [{ text: "Undo", kind: "primary", act: restore }] : [],
    columns: [
      { label: "ID", cell: ({ id }) => h("a", { href: linkTo("events", { id }) }, code(id), hidden(" events")) },
      {
        label: "Kind",
        cell: ({ kind }) => h("span", null, kind && h("i", { class: `swatch ${kind}` }), kindName(kind)),
      },
      { label: "Server name", kind: "name", cell: ({ sni }) => name(sni) },
      { label: "Upstream", kind: "name", cell: ({ upstream }) => name(upstream) },
      { label: "Cause", cell: ({ cause }) => CAUSES[cause] ?? "–" },
      { label: "Removed", cell: ({ time }) => moment(time) },
      {
        label: "Refused until",
        kind: "wide",
        cell: ({ until, cause }) => (cause === "config" ? "it leaves the configuration" : moment(until)),
      },
      live.mayChange && { label: "Undo", kind: "act", cell: undoing },
    ].filter(Boolean),
  });
  return { close: list.close };
}

function undoing(row, line) {
  if (row.cause === "config") return null;
  const undo = rowButton("Undo", `the removal of ${row.id.slice(0, 12)}`, async () => {
    if (!(await restore([row]))) return;
    line.classList.add("gone");
    const done = h("span", { class: "dim", tabindex: "-1" }, "Put back");
    undo.replaceWith(done);
    done.focus();
  });
  return undo;
}
