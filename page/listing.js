/**
 * A list of the API that comes in pages: one page of rows at a time, forwards and back. A page of the API may be short or empty
 * although there is more, so calls go on until the rows are there, the list ends, or MAX_CALLS are made; then the user decides.
 */
import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { count, number } from "./format.js";
import { empty, rowOf, table } from "./table.js";

const ROWS = 50;
/** A call looks at some 10,000 sessions: enough for 5 million. */
const MAX_CALLS = 500;

/**
 * Fills `root`. `bulk` are the actions on chosen rows: {text, kind, act(rows)}; `act` returns true if the list is to be read
 * again.
 */
export function listing(root, { path, field, query, columns, caption, noun, nothing, bulk = [] }) {
  /** The cursors that lead to each page up to this one. */
  const cursors = [undefined];
  const chosen = new Map();
  let closed = false;
  let isStopped = false;
  let reading = 0;

  const status = h("span", { class: "dim", role: "status" });
  const actions = bulk.map((action) => ({ ...action, button: bulkButton(action) }));
  const all = h("input", {
    type: "checkbox",
    "aria-label": "Choose all rows of this page",
    onchange: () => chooseAll(),
  });
  const shown = bulk.length === 0 ? columns : [{ label: all, kind: "choose", cell: chooser }, ...columns];
  const lines = table(caption, shown, []);
  const body = lines.querySelector("tbody");
  const none = h("div");
  const back = h("button", { type: "button", onclick: () => turn(-1) }, "Back");
  const on = h("button", { type: "button", onclick: () => turn(1) }, "Next");
  const further = h("button", { type: "button", onclick: () => void read(next, true) }, "Search on");
  const stop = h("button", { type: "button", onclick: () => (isStopped = true) }, "Stop");
  let next = null;
  fill(
    root,
    h(
      "div",
      { class: "bar-row" },
      status,
      h("span", { class: "grow" }),
      actions.map(({ button }) => button),
    ),
    h("div", { class: "panel" }, lines, none),
    h("div", { class: "pages" }, further, stop, back, on),
  );
  void read(undefined);

  return { again: () => read(cursors.at(-1)), close: () => (closed = true) };

  async function read(from, isContinued = false) {
    const turnOf = ++reading;
    isStopped = false;
    const rows = isContinued ? [...body.children].length : 0;
    if (!isContinued) {
      chosen.clear();
      all.checked = false;
    }
    let got = [];
    let cursor = from;
    stop.hidden = true;
    further.hidden = true;
    status.textContent = "Reading …";
    const slow = setTimeout(() => (stop.hidden = turnOf !== reading), 600);
    try {
      for (let calls = 0; calls < MAX_CALLS && rows + got.length < ROWS; calls++) {
        const page = await get(path, { ...query, limit: ROWS - rows - got.length, cursor });
        if (closed || turnOf !== reading) return;
        got = got.concat(page[field]);
        cursor = page.next ?? null;
        if (cursor === null || isStopped) break;
        if (calls > 0) status.textContent = `Searching … ${count(rows + got.length, noun)} so far`;
      }
      next = cursor ?? null;
      const newLines = got.map((row) => rowOf(shown, row));
      if (isContinued) body.append(...newLines);
      else body.replaceChildren(...newLines);
      const total = rows + got.length;
      fill(none, total === 0 && next === null && empty(nothing));
      status.textContent = textOf(total);
      further.hidden = next === null || total >= ROWS;
    } catch (error) {
      if (closed || turnOf !== reading) return;
      status.textContent = error.message;
      if (error.status === 400 && cursors.length > 1) {
        // The cursor is of an earlier cache: begin again.
        cursors.length = 1;
        return read(undefined);
      }
    } finally {
      clearTimeout(slow);
      if (turnOf === reading) showButtons();
    }
  }

  function showButtons() {
    stop.hidden = true;
    on.disabled = next === null || !further.hidden;
    back.disabled = cursors.length === 1;
    on.hidden = on.disabled && back.disabled;
    back.hidden = on.hidden;
    showChosen();
  }

  function textOf(total) {
    if (total === 0) return next === null ? "" : "None found yet";
    const first = (cursors.length - 1) * ROWS + 1;
    if (next === null && cursors.length === 1) return count(total, noun);
    const plural = `${noun[0].toUpperCase()}${noun.slice(1)}s`;
    return `${plural} ${number(first)}–${number(first + total - 1)}${next === null ? ", the last" : ""}`;
  }

  function turn(direction) {
    if (direction > 0) cursors.push(next);
    else cursors.pop();
    void read(cursors.at(-1)).then(() => root.scrollIntoView({ block: "nearest" }));
  }

  function chooser(row) {
    return h("input", {
      type: "checkbox",
      "aria-label": `Choose ${row.id.slice(0, 12)}`,
      onchange: (event) => {
        if (event.target.checked) chosen.set(row.id, row);
        else chosen.delete(row.id);
        showChosen();
      },
    });
  }

  function chooseAll() {
    for (const box of body.querySelectorAll("input[type=checkbox]")) {
      if (box.checked === all.checked) continue;
      box.checked = all.checked;
      box.dispatchEvent(new Event("change"));
    }
  }

  function bulkButton({ text, kind, act }) {
    return h(
      "button",
      {
        type: "button",
        class: kind,
        hidden: true,
        onclick: async () => {
          if (await act([...chosen.values()])) void read(cursors.at(-1));
        },
      },
      text,
    );
  }

  function showChosen() {
    for (const { button, text } of actions) {
      button.hidden = chosen.size === 0;
      button.textContent = `${text} ${chosen.size}`;
    }
  }
}

/** Calls `act` for each row, a few at a time; returns the number that worked, and the first error. */
export async function forEach(rows, act) {
  let done = 0;
  let error;
  const waiting = [...rows];
  const lane = async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      try {
        await act(row);
        done++;
      } catch (caught) {
        error ??= caught;
      }
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return { done, error };
}
