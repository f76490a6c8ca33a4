/** Tables, which become cards on a narrow screen: each cell has the name of its column with it. */
import { h } from "./dom.js";

/**
 * `columns` are {label, cell(row, line), kind}; `kind` is a class, such as "end" for numbers. Roles are written out because the
 * narrow form takes them away.
 */
export function table(caption, columns, rows) {
  return h(
    "table",
    { role: "table" },
    h("caption", { class: "unseen" }, caption),
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        columns.map(({ label, kind }) =>
          h("th", { scope: "col", role: "columnheader", class: kind }, kind === "act" ? hidden(label) : label),
        ),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) => rowOf(columns, row)),
    ),
  );
}

export function rowOf(columns, row) {
  const line = h("tr", { role: "row" });
  line.append(
    ...columns.map(({ label, cell, kind }) =>
      h(
        "td",
        { role: "cell", class: kind, "data-label": typeof label === "string" && kind !== "act" ? label : null },
        cell(row, line),
      ),
    ),
  );
  return line;
}

/** Text for screen readers alone. */
export function hidden(text) {
  return h("span", { class: "unseen" }, text);
}

export function empty(...text) {
  return h("p", { class: "empty" }, text);
}

/** A button in a row. `about` tells a screen reader which row it is. */
export function rowButton(text, about, act, kind = "") {
  return h("button", { type: "button", class: `small ${kind}`, onclick: act }, text, hidden(` ${about}`));
}

/** A bar as long as its share of the whole, from 0 to 1. */
export function bar(part, kind = "") {
  const inner = h("span");
  inner.style.inlineSize = `${Math.min(1, Math.max(0, part)) * 100}%`;
  return h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, inner);
}

/** Terms and their descriptions; `kind` "pairs" sets two side by side. */
export function facts(kind, pairs) {
  return h(
    "dl",
    { class: `facts ${kind}` },
    pairs
      .filter(Boolean)
      .map(([term, ...description]) => h("div", null, h("dt", null, term), h("dd", null, description))),
  );
}
