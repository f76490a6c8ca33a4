/** What happens now: figures, charts, fates of offers, the cache, upstreams, and whatever needs attention. */
import { get } from "../api.js";
import { chart } from "../chart.js";
import { fill, h } from "../dom.js";
import { segments } from "../fields.js";
import { count, duration, moment, name, number, percent, rate, share } from "../format.js";
import { growth, growthOver, KIND_NAMES, sum } from "../history.js";
import { live, onLive } from "../live.js";
import { removeMatching } from "../removals.js";
import { linkTo } from "../router.js";
import { bar, empty, facts, rowButton, table } from "../table.js";
import { attentionOf } from "../attention.js";

const SPANS = [
  [300, "5 min"],
  [1_800, "30 min"],
  [10_800, "3 h"],
];
const SLOTS = 60;
/** Rates of now are of the last seconds. */
const NOW_SECONDS = 10;
const FATES = [
  ["accepted", "Resumed", ""],
  ["declined", "Declined", ""],
  ["lost", "Lost", "warn"],
  ["refused", "Refused", "bad"],
  ["diverted", "Diverted", ""],
  ["failed", "Failed", ""],
];
const KINDS = ["Session ID", "Ticket", "PSK"];
/** A count that took longer is not repeated by itself. */
const CHEAP_MILLISECONDS = 300;
const UPSTREAMS_SECONDS = 15;

let span = 300;

export function overview(root) {
  const attention = h("div", { class: "attention" });
  const figures = h("div", { class: "figures" });
  const fates = h("div");
  const cache = h("div");
  const upstreams = upstreamTable();
  const chooser = segments("Time shown", SPANS, span, (seconds) => {
    span = seconds;
    refresh();
  });
  const resumption = chart({
    title: "Resumption",
    controls: chooser,
    max: 1,
    format: percent,
    mark: (value) => `${Math.round(value * 100)} %`,
    series: [
      { label: "Session ID", kind: "id", value: ({ counters }) => accepted(counters, 0) },
      { label: "Ticket", kind: "ticket", value: ({ counters }) => accepted(counters, 1) },
      { label: "PSK", kind: "psk", value: ({ counters }) => accepted(counters, 2) },
      { label: "All handshakes", kind: "all", value: ({ counters: c }) => share(c.resumed, c.resumed + c.full) },
    ],
    note: "By kind: of the sessions that clients offered. All handshakes: also of those that offered none.",
  });
  const handshakes = chart({
    title: "Handshakes per second",
    isStacked: true,
    format: rate,
    mark: number,
    series: [
      { label: "Resumed", kind: "good", value: ({ counters: c, width }) => c.resumed / width },
      { label: "Full", kind: "full", value: ({ counters: c, width }) => c.full / width },
    ],
    note: "Handshakes that were completed.",
  });
  fill(
    root,
    attention,
    figures,
    h("div", { class: "two" }, resumption.root, handshakes.root),
    h(
      "div",
      { class: "two wide-left" },
      h("section", { class: "panel", "aria-label": "Offered sessions" }, head("Offered sessions"), fates),
      h("section", { class: "panel", "aria-label": "Cache" }, head("Cache"), cache),
    ),
    upstreams.root,
  );
  const off = onLive(refresh);
  refresh();
  return {
    close: () => {
      off();
      upstreams.close();
    },
  };

  function refresh() {
    showAttention(attention);
    fill(figures, figuresOf(live.stats));
    const slots = growth(span, SLOTS);
    resumption.update(slots);
    handshakes.update(slots);
    fill(fates, fateTable());
    fill(cache, cacheFacts());
  }
}

/** An offer and its acceptance may be counted on two sides of a moment. */
function accepted({ accepted: resumed, offered }, kind) {
  return share(Math.min(resumed[kind], offered[kind]), offered[kind]);
}

function head(title, ...more) {
  return h("div", { class: "panel-head" }, h("h2", null, title), more);
}

function showAttention(root) {
  const notes = attentionOf(live);
  const text = JSON.stringify(notes);
  if (root.dataset.text === text) return;
  root.dataset.text = text;
  fill(
    root,
    notes.map(({ tone, title, text: more, link }) =>
      h(
        "p",
        { class: `callout ${tone}` },
        h("strong", null, title),
        " ",
        more,
        link && [" ", h("a", { href: link[0] }, link[1])],
      ),
    ),
  );
}

function figuresOf(stats) {
  const now = growthOver(NOW_SECONDS);
  const c = now?.counters;
  const each = (value) => (c ? value / now.seconds : null);
  const resumed = sum(stats.resumed);
  const whole = resumed + sum(stats.full);
  const size = stats.cache_size;
  return [
    figure(
      "Resumed",
      c ? percent(share(c.resumed, c.resumed + c.full)) : "–",
      `${percent(share(resumed, whole))} since the start`,
    ),
    figure("Handshakes", rate(each(c && c.resumed + c.full)), `${number(whole)} since the start`, "/s"),
    figure(
      "Sessions",
      number(stats.number),
      size === 0
        ? "without a limit"
        : [`of ${number(size)} `, bar(stats.number / size, stats.number >= size ? "warn" : "")],
    ),
    figure(
      "Lost",
      rate(each(c && sum(c.lost))),
      `${number(stats.lost)} went to another upstream`,
      "/s",
      stats.lost && c && sum(c.lost) > 0 ? "warn" : "",
    ),
    figure(
      "Refused",
      rate(each(c && sum(c.refused) + sum(c.diverted))),
      `${number(stats.refused + stats.diverted)} since the start`,
      "/s",
      c && sum(c.refused) > 0 ? "bad" : "",
    ),
  ];
}

function figure(label, value, more, unit, tone = "") {
  return h(
    "div",
    { class: `figure ${tone}` },
    h("span", { class: "label" }, label),
    h("span", { class: "value" }, value, unit && h("small", null, unit)),
    h("span", { class: "more" }, more),
  );
}

/** Counts since the start, and their growth in the time shown. */
function fateTable() {
  const { stats } = live;
  const grown = growthOver(span);
  const cell = (kind, fate, tone = "") => {
    const whole = stats[`resumptions_${fate}`][KIND_NAMES[kind]];
    const more = Math.round(grown?.counters[fate][kind] ?? 0);
    const shown = more > 0 && h("small", { class: tone || "dim" }, ` +${number(more)}`);
    return h("span", { class: whole === 0 && "dim" }, number(whole), shown);
  };
  const columns = [
    { label: "Kind", cell: (kind) => h("span", null, h("i", { class: `swatch ${KIND_NAMES[kind]}` }), KINDS[kind]) },
    { label: "Offered", kind: "end", cell: (kind) => cell(kind, "offered") },
    ...FATES.map(([fate, label, tone]) => ({ label, kind: "end", cell: (kind) => cell(kind, fate, tone) })),
  ];
  const causes = [
    ...causesOf("Refused for", stats.refused_for),
    ...causesOf("Diverted for", stats.diverted_for),
    ...causesOf("Not stored", stats.not_stored),
    ...causesOf("Not parsed", stats.parse_errors),
  ];
  const ending = grown ? ` With a plus: the last ${duration(Math.min(span, grown.seconds))}.` : "";
  return [
    table("Fates of offered sessions by kind", columns, [0, 1, 2]),
    causes.length > 0 && h("p", { class: "chips" }, causes),
    h(
      "p",
      { class: "note" },
      [
        `Counts since the start.${ending} Lost: declined by an upstream that had not issued it.`,
        `Full handshakes that issued nothing: ${number(stats.full_by_kind.none)}.`,
      ].join(" "),
    ),
  ];
}

function causesOf(label, counts) {
  const some = Object.entries(counts).filter(([, value]) => value > 0);
  return some.map(([cause, value]) =>
    h("span", { class: "chip" }, `${label} ${cause.replaceAll("_", " ")} `, h("b", null, number(value))),
  );
}

function cacheFacts() {
  const { stats } = live;
  const size = stats.cache_size;
  const part = size === 0 ? 0 : stats.number / size;
  return [
    size > 0 && h("div", { class: "meter" }, bar(part, part >= 1 ? "warn" : ""), h("span", null, percent(part))),
    facts("pairs", [
      ["Held", size === 0 ? number(stats.number) : `${number(stats.number)} of ${number(size)}`],
      ["Evicted", number(stats.cache_full)],
      ["Expired", number(stats.expired)],
      [
        "Removed, refused",
        h("a", { href: linkTo("removed") }, number(stats.tombstones + stats.configured_removals.sessions)),
      ],
      ["Hits", number(stats.hits)],
      ["Misses", number(stats.misses)],
      ["Offered too late", number(stats.timeouts)],
      [
        "Steering",
        stats.steering.mode,
        stats.steering.effective === false && h("b", { class: "warn" }, " without effect"),
      ],
    ]),
  ];
}

/** Counting goes through the whole cache, so a slow count is repeated only on demand. */
function upstreamTable() {
  const body = h("div", null, empty("Counting …"));
  const note = h("span", { class: "dim" });
  const again = h("button", { type: "button", class: "small", onclick: () => void read() }, "Count again");
  let timer = 0;
  let closed = false;
  void read();
  return {
    root: h(
      "section",
      { class: "panel", "aria-label": "Upstreams" },
      head("Upstreams", note, h("span", { class: "grow" }), again),
      body,
    ),
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };

  async function read() {
    clearTimeout(timer);
    const begin = performance.now();
    try {
      const answer = await get("/v1/upstreams");
      if (closed) return;
      const took = performance.now() - begin;
      // Whoever is on a button of the table keeps it.
      if (!body.contains(document.activeElement)) show(answer);
      note.textContent = answer.unknown > 0 ? `${count(answer.unknown, "session")} of unknown upstreams` : "";
      if (took < CHEAP_MILLISECONDS) timer = setTimeout(() => void read(), UPSTREAMS_SECONDS * 1000);
    } catch (error) {
      if (!closed) fill(body, empty(error.message));
    }
  }

  function show({ upstreams, others, rest }) {
    if (upstreams.length === 0)
      return fill(body, empty("No session is held yet. As soon as clients connect, their servers are here."));
    const most = Math.max(...upstreams.map(({ sessions }) => sessions), 1);
    const sorted = [...upstreams].sort((a, b) => b.sessions - a.sessions);
    const columns = [
      {
        label: "Upstream",
        kind: "name",
        cell: (row) => h("a", { href: linkTo("sessions", { upstream: row.upstream }) }, name(row.upstream)),
      },
      { label: "Sessions", kind: "end", cell: (row) => number(row.sessions) },
      { label: "Share", kind: "share", cell: (row) => bar(row.sessions / most) },
      { label: "Hits", kind: "end", cell: (row) => number(row.hits) },
      { label: "Lost", kind: "end", cell: (row) => number(row.lost) },
      { label: "Refused", kind: "end", cell: refusedOf },
      { label: "Ticket keys", kind: "end", cell: keysOf },
      { label: "Last used", cell: (row) => moment(row.last_used) },
      live.mayChange && {
        label: "Remove",
        kind: "act",
        cell: (row) =>
          row.sessions > 0 &&
          rowButton("Remove …", `the sessions of ${row.upstream}`, async () => {
            if (await removeMatching({ upstream: row.upstream })) void read();
          }),
      },
    ].filter(Boolean);
    fill(
      body,
      table("Sessions by upstream", columns, sorted),
      others > 0 && h("p", { class: "note" }, `${count(others, "session")} of further upstreams.`),
      rest && h("p", { class: "note" }, restText(rest)),
    );
  }

  function restText({ lost, refused }) {
    return `Of upstreams that are unknown or not listed: ${number(lost)} lost, ${number(refused)} refused.`;
  }

  function refusedOf({ upstream, refused }) {
    return refused === 0 ? "0" : h("a", { href: linkTo("events", { type: "refused", upstream }) }, number(refused));
  }

  function keysOf({ upstream, ticket_keys: keys }) {
    return keys === 0 ? "0" : h("a", { href: linkTo("keys", { upstream }) }, number(keys));
  }
}
