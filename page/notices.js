/** Short notices of what has happened, at the edge of the page. A screen reader reads them. */
import { h } from "./dom.js";

const SECONDS = 8;
const MAX_NOTICES = 4;

/** `tone` is "good" or "bad"; an error stays longer. */
export function notify(text, tone = "good", more = null) {
  const list = document.getElementById("notices");
  const close = h("button", { class: "quiet", type: "button", "aria-label": "Close this notice" }, "×");
  const notice = h("div", { class: `notice ${tone}` }, h("span", null, text, more && [" ", more]), close);
  close.addEventListener("click", () => notice.remove());
  list.append(notice);
  while (list.children.length > MAX_NOTICES) list.firstChild.remove();
  setTimeout(() => notice.remove(), SECONDS * 1000 * (tone === "bad" ? 3 : 1));
}

/** Runs a change of the user's; shows its error. Returns undefined if it has failed. */
export async function attempt(change) {
  try {
    return await change();
  } catch (error) {
    notify(error.message, "bad");
    return undefined;
  }
}

/** A sentence on who carries out a refusal, from the answer to the change. */
export function carriedOut({ enforced_by: by, warning }) {
  if (warning !== undefined) return `Warning: ${warning}.`;
  if (by === undefined) return "";
  const roles = ["observer", "guard"].filter((role) => by[role] > 0);
  return `Enforced by ${roles.map((role) => `${by[role]} ${role}${by[role] === 1 ? "" : "s"}`).join(" and ")}.`;
}
