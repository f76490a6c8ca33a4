/**
 * Removals in a file, from one proxy to another: removed sessions, removed ticket keys and revoked server names as lines of JSON, the
 * form of /v1/export. An import sends them in parts that the API takes, and can be done again.
 */
import { exportPage, importLines } from "./api.js";
import { openDialog, submits } from "./dialog.js";
import { h } from "./dom.js";
import { field } from "./fields.js";
import { count, number, percent, visible } from "./format.js";
import { carriedOut, notify } from "./notices.js";

const PARTS = "revocations,ticket_keys,removed";
const REMOVALS = ["revocation", "ticket_key", "removed"];
/** Lines of a whole export that are no removals. */
const OTHERS = ["session", "settings", "next"];
/** In bytes: below the API's 64 KiB. */
const MAX_PART_LENGTH = 60_000;
/** Below the API's bound of 2,048. */
const MAX_LINES = 1_500;

/** Saves the removals of this proxy as a file. */
export async function exportRemovals() {
  const saved = await transfer(
    "Export removals",
    "Save the file",
    ["Removed sessions, removed ticket keys and revoked server names, with their times, for another proxy or to keep."],
    (_, tell) => save(tell),
  );
  if (saved === undefined) return;
  const { removed = 0, ticket_key: keys = 0, revocation = 0 } = saved;
  notify(
    `Saved: ${[count(removed, "removed session"), count(keys, "ticket key"), count(revocation, "revocation")].join(", ")}.`,
  );
}

/** Takes a saved file in. Returns whether anything may have changed. */
export async function importRemovals() {
  let isBegun = false;
  const result = await transfer(
    "Import removals",
    "Import",
    [
      "A file of “Export removals”, or of “tls-sessions export”. Nothing that is removed here is lifted or ends earlier, so you can import it again.",
      field("File", "file", "", { type: "file", accept: ".ndjson,.jsonl,.txt", required: true }),
    ],
    (form, tell) => {
      isBegun = true;
      return takeIn(form.elements.file.files[0], tell);
    },
  );
  if (result !== undefined) {
    const left = result.left > 0 ? ` Left out: ${count(result.left, "line")} of sessions and settings.` : "";
    notify(`${outcome(result)}. ${carriedOut(result.last)}${left}`, result.last.warning ? "bad" : "good");
  }
  return isBegun;
}

/**
 * A dialog that does work and shows how far it is. `act` gets the form and a function that shows progress; that throws its text
 * after the dialog is closed. Resolves to the result of `act`, or undefined if it was stopped. An error stays in the dialog.
 */
async function transfer(title, action, contents, act) {
  let isOpen = true;
  const result = await openDialog(title, (close) => {
    const status = h("p", { class: "note", role: "status" });
    const go = h("button", { type: "submit", class: "primary" }, action);
    const cancel = h("button", { type: "button", onclick: () => close() }, "Cancel");
    const tell = (text) => {
      if (!isOpen) throw new Error(text);
      status.textContent = text;
    };
    const form = h(
      "form",
      {
        onsubmit: submits(async () => {
          go.disabled = true;
          cancel.textContent = "Stop";
          status.className = "note";
          try {
            close(await act(form, tell));
          } catch (error) {
            if (!isOpen) return notify(`Stopped. ${visible(error.message)}`, "bad");
            status.className = "trouble";
            status.textContent = visible(error.message);
            cancel.textContent = "Close";
            go.disabled = false;
          }
        }),
      },
      contents.map((part) => (typeof part === "string" ? h("p", null, part) : part)),
      status,
      h("div", { class: "actions" }, cancel, go),
    );
    return form;
  });
  isOpen = false;
  return result;
}

/** Reads the export page by page, and saves it. Returns the number of lines by their member. */
async function save(tell) {
  const counts = {};
  const pages = [];
  let cursor;
  let total = 0;
  do {
    tell(`Reading … ${number(total)} so far`);
    const lines = (await exportPage({ what: PARTS, cursor })).trimEnd().split("\n");
    const next = /^\{"next":(?:null|"(\w+)")\}$/.exec(lines.pop());
    if (next === null || (next[1] !== undefined && next[1] === cursor))
      throw new Error("a page of the export has no end");
    const kept = lines.filter(isRemoval);
    for (const line of kept) counts[memberOf(line)] = (counts[memberOf(line)] ?? 0) + 1;
    total += kept.length;
    if (kept.length > 0) pages.push(kept.join("\n"), "\n");
    cursor = next[1];
  } while (cursor !== undefined);
  tell("");
  // The mark of a whole export, which may be empty otherwise.
  pages.push('{"next":null}\n');
  const url = URL.createObjectURL(new Blob(pages, { type: "application/x-ndjson" }));
  const day = new Date().toISOString().slice(0, 10);
  h("a", { href: url, download: `removals-${location.host.replace(/[^\w.-]/g, "-")}-${day}.ndjson` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return counts;
}

/** Sends the removals of a file in parts. Returns the sums of their answers, the last answer, and the number of other lines. */
async function takeIn(file, tell) {
  const total = { taken: 0, identical: 0, skipped: 0, left: 0, last: {} };
  const encoder = new TextEncoder();
  let part = [];
  let length = 0;
  let from = 1;
  const send = async () => {
    if (part.length === 0) return;
    try {
      total.last = await importLines(part.join(""));
    } catch (error) {
      throw new Error(
        `${error.message} (in the part that begins with line ${number(from)}; before it: ${outcome(total)})`,
      );
    }
    for (const name of ["taken", "identical", "skipped"]) total[name] += total.last[name];
    part = [];
    length = 0;
  };
  tell("Reading …");
  for await (const { line, at, read } of linesOf(file)) {
    const member = memberOf(line);
    if (OTHERS.includes(member)) {
      if (member !== "next") total.left++;
      continue;
    }
    if (!REMOVALS.includes(member))
      throw new Error(`line ${number(at)} is not a line of an export; before it: ${outcome(total)}`);
    const size = encoder.encode(line).length + 1;
    if (length + size > MAX_PART_LENGTH || part.length >= MAX_LINES) {
      await send();
      tell(`Importing … ${percent(read / file.size)}: ${outcome(total)}`);
    }
    if (part.length === 0) from = at;
    part.push(`${line}\n`);
    length += size;
  }
  await send();
  if (total.last.taken === undefined) throw new Error("the file has no removals");
  tell(outcome(total));
  return total;
}

/** The lines of a file that are not empty, with their numbers from 1, and the bytes read so far. */
async function* linesOf(file) {
  const reader = file.stream().getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let at = 0;
  let read = 0;
  for (let isLast = false; !isLast;) {
    const { done, value } = await reader.read();
    isLast = done;
    read += value?.length ?? 0;
    const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = done ? "" : lines.pop();
    if (rest.length > MAX_PART_LENGTH)
      throw new Error(`line ${number(at + lines.length + 1)} is longer than a line of an export`);
    for (const text of lines) {
      at++;
      const line = text.trim();
      if (line !== "") yield { line, at, read };
    }
  }
}

function memberOf(line) {
  return /^\{\s*"(\w+)"/.exec(line)?.[1];
}

/** A ticket key that was only seen is none. */
function isRemoval(line) {
  return memberOf(line) !== "ticket_key" || JSON.parse(line).ticket_key.state === "removed";
}

function outcome({ taken, identical, skipped }) {
  return `${number(taken)} taken in, ${number(identical)} in force already, ${number(skipped)} skipped`;
}
