/** Enforcement, mode, timeout and size of the cache. Each change asks first, and holds until the process ends or its configuration changes. */
import { call } from "../api.js";
import { confirm, submits } from "../dialog.js";
import { fill, h } from "../dom.js";
import { field } from "../fields.js";
import { duration, number } from "../format.js";
import { live, readSettings } from "../live.js";
import { attempt, carriedOut, notify } from "../notices.js";

const ENFORCEMENTS = {
  observe: "Nothing is refused. Removals are kept, and take effect when this is stricter.",
  revoked: "Removed sessions, removed ticket keys and revoked server names do not resume.",
  strict: "Only sessions that the cache holds resume.",
};
const FLAGS = {
  SERVER: "Learn sessions of handshakes, and count them.",
  NO_AUTO_CLEAR: "Do not sweep expired sessions by itself.",
  NO_INTERNAL_LOOKUP: "Do not look sessions up, and count no hits.",
  NO_INTERNAL_STORE: "Do not store what handshakes show.",
  UPDATE_TIME: "A resumption renews the time of its session.",
};

export function settings(root) {
  const show = () =>
    fill(
      root,
      h("div", { class: "cards" }, enforcementCard(show), modeCard(show), numberCards(show)),
      h(
        "p",
        { class: "note" },
        "A value set here holds until the process ends, or until that value in the configuration changes.",
      ),
    );
  show();
  return { close: () => {} };
}

function enforcementCard(show) {
  const form = card(
    "Enforcement",
    Object.entries(ENFORCEMENTS).map(([value, text]) =>
      option({ type: "radio", name: "enforcement", value, checked: value === live.enforcement }, value, text),
    ),
    async () => {
      const value = new FormData(form).get("enforcement");
      const isWeaker = Object.keys(ENFORCEMENTS).indexOf(value) < Object.keys(ENFORCEMENTS).indexOf(live.enforcement);
      await change(
        "enforcement",
        { enforcement: value },
        live.enforcement,
        value,
        ENFORCEMENTS[value],
        isWeaker || value === "strict",
        show,
      );
    },
  );
  return form;
}

function modeCard(show) {
  const form = card(
    "Mode",
    Object.entries(FLAGS).map(([value, text]) =>
      option({ type: "checkbox", name: "mode", value, checked: live.mode.includes(value) }, value, text),
    ),
    async () => {
      const mode = new FormData(form).getAll("mode").join(",") || "OFF";
      const text =
        mode === "OFF" ? "The cache is off: nothing is learned and nothing is counted. Removals stay in force." : "";
      await change("mode", { mode }, live.mode.join(", "), mode.replaceAll(",", ", "), text, mode === "OFF", show);
    },
  );
  return form;
}

function numberCards(show) {
  const size = live.stats.cache_size;
  const sizes = card(
    "Cache size",
    [
      field("Sessions at most; 0 is without a limit", "cache_size", size, {
        type: "number",
        min: 0,
        max: 4_294_967_295,
        required: true,
      }),
    ],
    async () => {
      const value = new FormData(sizes).get("cache_size");
      const isSmaller = Number(value) > 0 && Number(value) < live.stats.number;
      const text = isSmaller
        ? `The cache holds ${number(live.stats.number)} sessions now: it evicts down to the new size.`
        : "";
      await change("cache-size", { cache_size: value }, number(size), number(Number(value)), text, isSmaller, show);
    },
  );
  const timeouts = card(
    "Timeout",
    [
      field(
        `Seconds that a session without a lifetime of its own is held (${duration(live.timeout)})`,
        "timeout",
        live.timeout,
        { type: "number", min: 1, max: 2_147_483_647, required: true },
      ),
    ],
    async () => {
      const value = new FormData(timeouts).get("timeout");
      await change("timeout", { timeout: value }, duration(live.timeout), duration(Number(value)), "", false, show);
    },
  );
  return h("div", { class: "stack" }, sizes, timeouts);
}

function card(title, contents, act) {
  return h(
    "form",
    { class: "panel card", "aria-label": title, onsubmit: submits(act) },
    h("div", { class: "panel-head" }, h("h2", null, title)),
    h("fieldset", { disabled: !live.mayChange }, h("legend", { class: "unseen" }, title), contents),
    live.mayChange && h("div", { class: "actions" }, h("button", { type: "submit" }, "Change …")),
  );
}

function option(properties, label, text) {
  return h(
    "label",
    { class: "option" },
    h("input", properties),
    h("span", null, h("b", null, label), h("span", { class: "dim" }, text)),
  );
}

async function change(path, query, before, after, text, isDanger, show) {
  if (before === after) return notify("This value is set already.");
  const what = path.replace("-", " ");
  const isAgreed = await confirm({
    title: `Change the ${what}?`,
    text: [h("p", { class: "change" }, h("span", null, before), " → ", h("b", null, after)), text].filter(Boolean),
    action: "Change",
    tone: isDanger ? "danger" : "primary",
  });
  if (!isAgreed) return show();
  const answer = await attempt(() => call("PUT", `/v1/${path}`, query));
  if (answer === undefined) return;
  notify(`The ${what} is ${after}. ${carriedOut(answer)}`, answer.warning ? "bad" : "good");
  await attempt(readSettings);
  if (path === "cache-size") live.stats.cache_size = answer.cache_size;
  show();
}
