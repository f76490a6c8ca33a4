/** The page: asks for the token if there has to be one, then shows one view at a time beside the navigation. */
import { get, mayChange, onRejected, useToken } from "./api.js";
import { submits } from "./dialog.js";
import { fill, h, s } from "./dom.js";
import { code, number, visible } from "./format.js";
import { live, onLive, start, stop } from "./live.js";
import { here, linkTo } from "./router.js";
import { events } from "./views/events.js";
import { filters } from "./views/filters.js";
import { fleet } from "./views/fleet.js";
import { keys } from "./views/keys.js";
import { overview } from "./views/overview.js";
import { removed } from "./views/removed.js";
import { revocations } from "./views/revocations.js";
import { sessions } from "./views/sessions.js";
import { settings } from "./views/settings.js";

const VIEWS = {
  overview: ["Overview", overview],
  sessions: ["Sessions", sessions, ({ number: held }) => held],
  removed: ["Removed", removed, (stats) => stats.tombstones + stats.configured_removals.sessions],
  keys: ["Ticket keys", keys],
  revocations: ["Revocations", revocations],
  events: ["Events", events],
  filters: ["Filters", filters],
  fleet: ["Fleet", fleet],
  settings: ["Settings", settings],
};
const app = document.getElementById("app");
let leave = () => {};
let isSignedIn = false;

onRejected(() => isSignedIn && askForToken("The proxy does not accept this token any more."));
void begin();

/** Without a token, if the API is open; else asks for one. */
async function begin() {
  try {
    await enter();
  } catch (error) {
    askForToken(error.status === 401 ? "" : error.message);
  }
}

async function enter() {
  await start();
  live.mayChange = await mayChange();
  const hasFleet = await get("/v1/fleet").then(
    ({ state }) => state !== "off",
    () => false,
  );
  isSignedIn = true;
  showFrame(hasFleet);
}

function askForToken(trouble) {
  isSignedIn = false;
  leave();
  stop();
  useToken("");
  const input = h("input", {
    type: "password",
    name: "token",
    autocomplete: "off",
    required: true,
    autofocus: true,
    "aria-describedby": "trouble",
  });
  const status = h("p", { id: "trouble", class: "trouble", role: "alert" }, trouble);
  const button = h("button", { type: "submit", class: "primary" }, "Open");
  const form = h(
    "form",
    {
      class: "panel sign-in",
      onsubmit: submits(async () => {
        useToken(input.value.trim());
        button.disabled = true;
        status.textContent = "";
        try {
          await enter();
        } catch (error) {
          useToken("");
          status.textContent = error.status === 401 ? "This is not a token of the proxy." : error.message;
          input.select();
        } finally {
          button.disabled = false;
        }
      }),
    },
    h("h1", null, mark(), "TLS sessions"),
    h("p", { class: "dim" }, "of the proxy at ", h("b", null, location.host)),
    h("label", { class: "field" }, h("span", null, "Token"), input),
    status,
    button,
    h(
      "p",
      { class: "note" },
      "One of admin.tokens, or of admin.read_tokens to look only. It stays in this tab’s memory, and is gone when you close or reload the tab.",
    ),
  );
  fill(app, h("main", { class: "alone" }, form));
  input.focus();
}

function showFrame(hasFleet) {
  const names = Object.keys(VIEWS).filter((name) => name !== "fleet" || hasFleet);
  const counts = new Map();
  const links = names.map((name) => {
    const badge = VIEWS[name][2] && h("span", { class: "count" });
    if (badge) counts.set(name, badge);
    return h("a", { href: linkTo(name), "data-view": name }, VIEWS[name][0], badge);
  });
  const title = h("h1", { tabindex: "-1" });
  const view = h("div", { class: "view" });
  const state = h("span", { class: "state", role: "status" });
  const facts = h("p", { class: "about" });
  fill(
    app,
    h("a", { class: "skip", href: "#main", onclick: submits(() => title.focus()) }, "Skip to the contents"),
    h(
      "header",
      { class: "side" },
      h("a", { class: "brand", href: linkTo("overview") }, mark(), h("span", null, "TLS sessions")),
      h("nav", { "aria-label": "Views" }, links),
      facts,
      h("button", { type: "button", class: "quiet leave", onclick: () => askForToken("") }, "Forget the token"),
    ),
    h("main", { id: "main" }, h("div", { class: "top" }, title, h("span", { class: "grow" }), state), view),
  );
  let current = { close: () => {} };
  const show = () => {
    current.close();
    const { name, filters: chosen } = here();
    const known = names.includes(name) ? name : "overview";
    const hadView = view.children.length > 0;
    for (const link of links) {
      if (link.dataset.view === known) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    title.textContent = VIEWS[known][0];
    document.title = known === "overview" ? "TLS sessions" : `${VIEWS[known][0]} · TLS sessions`;
    current = VIEWS[known][1](view, chosen);
    if (hadView) title.focus({ preventScroll: true });
    scrollTo(0, 0);
    links.find((link) => link.dataset.view === known)?.scrollIntoView({ block: "nearest", inline: "center" });
  };
  const refresh = ({ stats, trouble, enforcement, filters: all }) => {
    for (const [name, badge] of counts) badge.textContent = number(VIEWS[name][2](stats));
    const text = trouble === null ? `Live · enforcement: ${enforcement}` : `No answer: ${trouble}`;
    if (state.textContent !== text)
      fill(state, h("i", { class: trouble === null ? "dot" : "dot bad", "aria-hidden": "true" }), text);
    const envoy = all.find(({ envoy: version }) => version !== null)?.envoy;
    fill(
      facts,
      h("b", null, location.host),
      h("br"),
      `Module ${visible(stats.module.version)} `,
      code(stats.module.build, 8),
      envoy && [h("br"), `Envoy ${visible(envoy)}`],
    );
  };
  const off = onLive(refresh);
  addEventListener("hashchange", show);
  leave = () => {
    current.close();
    off();
    removeEventListener("hashchange", show);
    leave = () => {};
    document.title = "TLS sessions";
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  };
  refresh(live);
  show();
}

function mark() {
  return s(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true" },
    s("rect", { width: 32, height: 32, rx: 8 }),
    s("path", { d: "M9 20a7 7 0 1 1 5 2.7M9 20v-5M9 20h5" }),
  );
}
