/** Revoked server names. */
import { call, get } from "../api.js";
import { confirm, submits } from "../dialog.js";
import { fill, h } from "../dom.js";
import { choice, field, valuesOf } from "../fields.js";
import { moment, name, visible } from "../format.js";
import { live } from "../live.js";
import { attempt, notify } from "../notices.js";
import { revoke } from "../removals.js";
import { linkTo } from "../router.js";
import { empty, rowButton, table } from "../table.js";

export function revocations(root, filters) {
  const form = h(
    "form",
    {
      class: "filters",
      "aria-label": "Revoke a server name",
      onsubmit: submits(async () => {
        const { sni, lifetime, unseen } = valuesOf(form);
        if (await revoke(sni, lifetime, unseen)) void read();
      }),
    },
    field("Server name", "sni", filters.sni, { required: true, placeholder: "shop.example" }),
    field("Longest ticket lifetime, s", "lifetime", "", {
      type: "number",
      min: 1,
      max: 2_147_483_647,
      placeholder: "as configured",
    }),
    choice("Sessions never seen", "unseen", "", [
      ["", "As before"],
      ["by_name", "By the name offered"],
      ["refuse", "Refuse all"],
    ]),
    h("button", { type: "submit", class: "danger-text" }, "Revoke …"),
  );
  const results = h("div", { class: "panel" });
  fill(
    root,
    live.mayChange && form,
    results,
    h(
      "p",
      { class: "note" },
      "No session that was issued for a revoked name up to that time resumes. New sessions do.",
    ),
  );
  let closed = false;
  void read();
  return { close: () => (closed = true) };

  async function read() {
    const answer = await attempt(() => get("/v1/revocations"));
    if (answer === undefined || closed) return;
    const columns = [
      { label: "Server name", kind: "name", cell: ({ sni }) => name(sni) },
      { label: "Issued up to", cell: ({ time }) => moment(time) },
      { label: "Ends", cell: ({ until }) => (until === null ? "when it is lifted" : moment(until)) },
      {
        label: "Never seen",
        kind: "wide",
        cell: ({ unseen }) => (unseen === "refuse" ? "all refused" : "by the name offered"),
      },
      { label: "Refusals", cell: ({ sni }) => h("a", { href: linkTo("events", { type: "refused", sni }) }, "Events") },
      live.mayChange && { label: "Lift", kind: "act", cell: lifting },
    ].filter(Boolean);
    const rows = answer.revocations.sort((a, b) => b.time - a.time);
    fill(
      results,
      rows.length === 0 ? empty("No server name is revoked.") : table("Revoked server names", columns, rows),
    );
  }

  function lifting({ sni, cause }) {
    if (cause === "config") return h("span", { class: "dim" }, "by configuration");
    return rowButton("Lift …", visible(sni), async () => {
      const isAgreed = await confirm({
        title: "Lift this revocation?",
        text: [
          h("p", { class: "whole" }, name(sni)),
          "Sessions that were issued for this name before may resume again.",
        ],
        action: "Lift",
      });
      if (!isAgreed) return;
      if ((await attempt(() => call("DELETE", `/v1/revocations/${encodeURIComponent(sni)}`))) === undefined) return;
      notify("Revocation lifted.");
      void read();
    });
  }
}
