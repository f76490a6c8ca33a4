/** Removals and their undoing, as several views offer them. Each asks before it changes anything. */
import { call } from "./api.js";
import { confirm, openDialog, submits } from "./dialog.js";
import { choice, field, KINDS, valuesOf } from "./fields.js";
import { h } from "./dom.js";
import { code, count, moment, name, visible } from "./format.js";
import { forEach } from "./listing.js";
import { live } from "./live.js";
import { attempt, carriedOut, notify } from "./notices.js";
import { linkTo } from "./router.js";
import { facts } from "./table.js";

const PROTOCOLS = ["", "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3"];

export const sessionPath = (id) => `/v1/sessions/${encodeURIComponent(id)}`;

/** Asks, then removes the sessions of these rows. Returns whether anything was removed. */
export async function removeSessions(rows) {
  const one = rows.length === 1;
  const isAgreed = await confirm({
    title: one ? "Remove this session?" : `Remove ${count(rows.length, "session")}?`,
    text: [one ? aboutOf(rows[0]) : "", effect(one)],
    action: one ? "Remove" : `Remove ${rows.length}`,
    tone: "danger",
  });
  if (!isAgreed) return false;
  let last = {};
  const { done, error } = await forEach(rows, async ({ id }) => {
    last = await call("DELETE", sessionPath(id), {}, [404]);
  });
  if (error !== undefined) notify(error.message, "bad");
  if (done > 0) notify(`${count(done, "session")} removed. ${carriedOut(last)}`, last.warning ? "bad" : "good");
  return done > 0;
}

/** Puts removed sessions back. Returns whether anything was put back. */
export async function restore(rows) {
  const { done, error } = await forEach(rows, ({ id }) => call("PUT", sessionPath(id)));
  if (error !== undefined) notify(error.message, "bad");
  if (done > 0) notify(`${count(done, "session")} put back, as ${done === 1 ? "it was" : "they were"} before.`);
  return done > 0;
}

/** Counts the sessions of a selection, then removes them. Returns whether any was removed. */
export async function removeMatching(selection) {
  const removed = await openDialog("Remove sessions", (close) => {
    let matching = null;
    const result = h("p", { class: "note", role: "status" }, "All that is filled in must match.");
    const go = h("button", { type: "submit", class: "primary" }, "Count them");
    const reset = () => {
      matching = null;
      go.className = "primary";
      go.textContent = "Count them";
    };
    const form = h(
      "form",
      {
        oninput: reset,
        onsubmit: submits(async () => {
          const values = valuesOf(form);
          const asked = { ...values, issued_before: secondsOf(values.issued_before), dry_run: matching === null };
          go.disabled = true;
          try {
            const answer = await call("POST", "/v1/sessions/remove", asked);
            if (matching !== null) return close(answer);
            matching = answer.removed;
            result.textContent =
              matching === 0 ? "No session matches." : `${count(matching, "session")} match. ${effect(false)}`;
            if (matching === 0) reset();
            else {
              go.className = "danger";
              go.textContent = `Remove ${count(matching, "session")}`;
            }
          } catch (error) {
            reset();
            result.textContent = error.message;
          } finally {
            go.disabled = false;
          }
        }),
      },
      h(
        "div",
        { class: "fields" },
        field("Server name", "sni", selection.sni, { placeholder: "shop.example" }),
        field("Upstream", "upstream", selection.upstream, { placeholder: "10.0.0.7:443" }),
        choice("Kind", "kind", selection.kind, KINDS),
        choice(
          "Protocol",
          "protocol",
          selection.protocol,
          PROTOCOLS.map((text) => [text, text || "Any"]),
        ),
        field("Ticket key", "ticket_key", selection.ticket_key, { placeholder: "32 hexadecimal digits" }),
        field("Issued before", "issued_before", "", { type: "datetime-local" }),
      ),
      result,
      h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close() }, "Cancel"), go),
    );
    return form;
  });
  if (removed === undefined) return false;
  notify(
    `${count(removed.removed, "session")} removed (${count(removed.handles ?? 0, "handle")}). ${carriedOut(removed)}`,
    removed.warning ? "bad" : "good",
  );
  return true;
}

/** Removes all sessions. Returns whether it did. */
export async function removeAll() {
  const isAgreed = await confirm({
    title: "Remove all sessions?",
    text: [
      `The cache holds ${count(live.stats.number, "session")}. ${effect(false)}`,
      "Ticket keys and revocations stay as they are.",
    ],
    action: "Remove all",
    tone: "danger",
    word: "remove",
  });
  if (!isAgreed) return false;
  const answer = await attempt(() => call("POST", "/v1/sessions/flush"));
  if (answer === undefined) return false;
  notify(`${count(answer.removed, "session")} removed. ${carriedOut(answer)}`, answer.warning ? "bad" : "good");
  return true;
}

export async function removeKey(key) {
  const isAgreed = await confirm({
    title: "Remove this ticket key?",
    text: [
      h("p", null, h("code", { class: "whole" }, visible(key))),
      "No ticket under this key resumes from then on, seen or not. You can lift this later.",
    ],
    action: "Remove the key",
    tone: "danger",
  });
  if (!isAgreed) return false;
  const answer = await attempt(() => call("DELETE", `/v1/ticket-keys/${encodeURIComponent(key)}`, {}, [404]));
  if (answer === undefined) return false;
  if (answer.result === 0) notify("This ticket key was removed already.");
  else notify(`Ticket key removed. ${carriedOut(answer)} ${answer.note ?? ""}`, answer.warning ? "bad" : "good");
  return true;
}

export async function revoke(sni, lifetime = "", unseen = "") {
  const isAgreed = await confirm({
    title: "Revoke this server name?",
    text: [
      h("p", { class: "whole" }, name(sni)),
      "No session that was issued for this name up to now resumes: its clients make one full handshake each. The revocation ends by itself when all older tickets have expired.",
    ],
    action: "Revoke",
    tone: "danger",
  });
  if (!isAgreed) return false;
  const path = `/v1/revocations/${encodeURIComponent(sni)}`;
  const answer = await attempt(() => call("PUT", path, { ticket_lifetime: lifetime, unseen }));
  if (answer === undefined) return false;
  notify(`Server name revoked. ${carriedOut(answer)}`, answer.warning ? "bad" : "good");
  return true;
}

/** Shows everything about a session, and where to go from there. Resolves when the dialog is closed. */
export function showSession(session, changed) {
  return openDialog("Session", (close) => {
    const act = (change) => async () => {
      close();
      if (await change()) changed();
    };
    const { sni, upstream, ticket_key: key } = session;
    return [
      aboutOf(session),
      h(
        "nav",
        { class: "links", "aria-label": "More about this session" },
        h("a", { href: linkTo("events", { id: session.id }), onclick: () => close() }, "Its events"),
        sni && h("a", { href: linkTo("sessions", { sni }), onclick: () => close() }, "Sessions of its server name"),
        upstream &&
          h("a", { href: linkTo("sessions", { upstream }), onclick: () => close() }, "Sessions of its upstream"),
      ),
      h(
        "div",
        { class: "actions" },
        live.mayChange && [
          sni && h("button", { type: "button", onclick: act(() => revoke(sni)) }, "Revoke server name …"),
          key && h("button", { type: "button", onclick: act(() => removeKey(key)) }, "Remove ticket key …"),
          h("button", { type: "button", class: "danger", onclick: act(() => removeSessions([session])) }, "Remove …"),
        ],
        h("button", { type: "button", onclick: () => close() }, "Close"),
      ),
    ];
  });
}

function aboutOf(session) {
  return facts("", [
    ["ID", h("code", { class: "whole" }, visible(session.id))],
    ["Kind", kindName(session.kind)],
    ["Server name", h("span", { class: "whole" }, name(session.sni))],
    ["Upstream", name(session.upstream)],
    session.protocol && ["Protocol", visible(session.protocol), session.cipher && ` · ${visible(session.cipher)}`],
    session.ticket_key && ["Ticket key", h("code", { class: "whole" }, visible(session.ticket_key))],
    session.session && ["Handles", "of session ", code(session.session, 16)],
    session.issued !== undefined && ["Issued", session.issued ? moment(session.issued) : "before it was first seen"],
    session.last_used && ["Last used", moment(session.last_used), ` · ${count(session.hits, "hit")}`],
    session.timeout && ["Expires", moment(session.time + session.timeout)],
    session.origin && ["Learned", session.origin === "api" ? "by hand, over the API" : "from a handshake"],
  ]);
}

export function kindName(kind) {
  return { id: "Session ID", ticket: "Ticket", psk: "PSK" }[kind] ?? "–";
}

function effect(one) {
  const clients = one ? "Its client makes" : "Their clients make";
  if (live.enforcement === "observe") {
    return `Enforcement is “observe”: nothing is refused now, so ${one ? "it still resumes" : "they still resume"}.`;
  }
  return `${clients} a full handshake next time, or see a TLS alert once. You can undo this.`;
}

function secondsOf(local) {
  return local === undefined ? undefined : Math.floor(new Date(local).getTime() / 1000);
}
