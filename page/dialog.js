/** Modal dialogs. The browser keeps the focus inside, ends them with Escape, and gives the focus back. */
import { fill, h } from "./dom.js";

/** Opens a dialog; `build` gets a function that closes it, and returns its contents. Resolves to what it was closed with. */
export function openDialog(title, build) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" });
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    fill(dialog, h("h2", { id: "dialog-title" }, title), build(close));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks before a change. `tone` is "danger" if it takes something away. With `word`, the user has to type it. */
export async function confirm({ title, text, action, tone = "primary", word }) {
  const answer = await openDialog(title, (close) => {
    const go = h("button", { type: "submit", class: tone, disabled: word !== undefined }, action);
    const typed =
      word !== undefined &&
      h(
        "label",
        { class: "field" },
        h("span", null, `Type “${word}” to go on`),
        h("input", {
          autocomplete: "off",
          oninput: (event) => (go.disabled = event.target.value.trim() !== word),
        }),
      );
    return h(
      "form",
      { onsubmit: submits(() => close(true)) },
      [text].flat().map((paragraph) => (typeof paragraph === "string" ? h("p", null, paragraph) : paragraph)),
      typed,
      h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close(false) }, "Cancel"), go),
    );
  });
  return answer === true;
}

/** A listener for a form that the page handles itself. */
export function submits(act) {
  return (event) => {
    event.preventDefault();
    void act(event);
  };
}
