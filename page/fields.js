/** Fields of forms, each with its label. */
import { h } from "./dom.js";

export function field(label, name, value, properties = {}) {
  return h(
    "label",
    { class: "field" },
    h("span", null, label),
    h("input", { name, value: value ?? "", autocomplete: "off", spellcheck: "false", ...properties }),
  );
}

/** `options` are pairs of value and text. */
export function choice(label, name, value, options, properties = {}) {
  return h(
    "label",
    { class: "field" },
    h("span", null, label),
    h(
      "select",
      { name, ...properties },
      options.map(([option, text]) => h("option", { value: option, selected: option === (value ?? "") }, text)),
    ),
  );
}

/** A row of buttons of which one is pressed. */
export function segments(label, options, chosen, choose) {
  const buttons = options.map(([value, text]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === chosen),
        onclick: (event) => {
          for (const button of buttons) button.setAttribute("aria-pressed", String(button === event.currentTarget));
          choose(value);
        },
      },
      text,
    ),
  );
  return h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
}

/** The values of a form by name, without those that are empty. */
export function valuesOf(form) {
  const values = [...new FormData(form)].map(([name, value]) => [name, value.trim()]);
  return Object.fromEntries(values.filter(([, value]) => value !== ""));
}

export const KINDS = [
  ["", "Any"],
  ["id", "Session ID"],
  ["ticket", "Ticket"],
  ["psk", "PSK"],
];
