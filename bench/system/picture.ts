/**
 * The picture of a run: an SVG with CPU per connection, proxy and servers stacked, and the time to first byte, for clients that resume most
 * and come from changing addresses. It has a ground of its own, so it reads on light and on dark pages, and follows the
 * reader's colour scheme.
 */
import { costOf, delaysOf, firstByteOf, proxiesOf } from "./figures.ts";
import { KINDS, PROXY_TITLES, type ProxyName, type Results, type Situation } from "./grid.ts";
import { decisive } from "./tables.ts";

/** "" if the run has no such situation. */
export function pictureOf(results: Results): string {
  const situations = decisive(results).filter(({ addresses }) => addresses === "changing");
  const [first] = situations;
  if (first === undefined) return "";
  const delays = delaysOf(results);
  const proxies = proxiesOf(results);
  const columns: Column[] = [
    cpuColumn(results, situations),
    ...delays.map((delay) => delayColumn(results, situations, delay)),
  ];
  place(columns);
  const panelHeight = PANEL_HEAD + proxies.length * ROW + PANEL_GAP;
  const height = HEAD + situations.length * panelHeight + FOOT;
  const panels = situations.map((situation, index) => panelOf(results, situation, columns, HEAD + index * panelHeight));
  const title = "What a connection costs, with the proxy and the servers counted together";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">${title}</title>
<desc id="d">${descriptionOf(results, situations, proxies)}</desc>
<style>${STYLE}</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10"/>
${text(MARGIN, 32, "title", title)}
${notesOf(results, first)
  .map((note, index) => text(MARGIN, 55 + 19 * index, "note", note))
  .join("\n")}
${headsOf(columns)}
${panels.join("\n")}
</svg>
`;
}

interface Bar {
  parts: { value: number; style: string }[];
  label: string;
}

interface Column {
  title: string;
  legend: { style: string; name: string }[];
  /** Its share of the width that the columns have. */
  share: number;
  left: number;
  width: number;
  most: number;
  bar(situation: Situation, proxy: ProxyName): Bar;
}

function cpuColumn(results: Results, situations: readonly Situation[]): Column {
  const cost = (situation: Situation, proxy: ProxyName) => costOf(results, situation, proxy);
  return {
    title: "CPU per connection, µs",
    legend: [
      { style: "proxy", name: "proxy" },
      { style: "servers", name: "servers" },
    ],
    share: 3,
    left: 0,
    width: 0,
    most: mostOf(results, situations, (situation, proxy) => cost(situation, proxy).totalMicroseconds),
    bar: (situation, proxy) => {
      const { proxyMicroseconds, serversMicroseconds, totalMicroseconds } = cost(situation, proxy);
      const parts = [
        { value: proxyMicroseconds, style: "proxy" },
        { value: serversMicroseconds, style: "servers" },
      ];
      return { parts, label: totalMicroseconds.toFixed(0) };
    },
  };
}

function delayColumn(results: Results, situations: readonly Situation[], delayMilliseconds: number): Column {
  const value = (situation: Situation, proxy: ProxyName): number =>
    firstByteOf(results, { ...situation, delayMilliseconds }, proxy);
  return {
    title: "First byte, ms",
    legend: [{ style: "first", name: delayMilliseconds === 0 ? "no delay" : `${delayMilliseconds} ms each way` }],
    share: 2,
    left: 0,
    width: 0,
    most: mostOf(results, situations, value),
    bar: (situation, proxy) => {
      const milliseconds = value(situation, proxy);
      const label = milliseconds.toFixed(milliseconds < 10 ? 2 : 0);
      return { parts: [{ value: milliseconds, style: "first" }], label };
    },
  };
}

function mostOf(
  results: Results,
  situations: readonly Situation[],
  value: (situation: Situation, proxy: ProxyName) => number,
): number {
  const values = situations.flatMap((situation) => proxiesOf(results).map((proxy) => value(situation, proxy)));
  return Math.max(1e-9, ...values.filter((one) => !Number.isNaN(one)));
}

/** Gives each column its place. */
function place(columns: Column[]): void {
  const shares = columns.reduce((sum, { share }) => sum + share, 0);
  const room = WIDTH - MARGIN - NAMES_WIDTH - RESUMED_WIDTH - MARGIN - (columns.length - 1) * COLUMN_GAP;
  let left = MARGIN + NAMES_WIDTH + RESUMED_WIDTH;
  for (const column of columns) {
    column.left = left;
    column.width = (room * column.share) / shares;
    left += column.width + COLUMN_GAP;
  }
}

function headsOf(columns: readonly Column[]): string {
  const lines = [text(MARGIN + NAMES_WIDTH, HEAD - 34, "head", "Resumed")];
  for (const { left, title, legend } of columns) {
    lines.push(text(left, HEAD - 34, "head", title));
    let at = left;
    for (const { style, name } of legend) {
      lines.push(`<rect class="${style}" x="${round(at)}" y="${HEAD - 26}" width="11" height="11" rx="2"/>`);
      lines.push(text(at + 16, HEAD - 16, "note", name));
      at += 16 + name.length * NOTE_CHARACTER + 14;
    }
  }
  return lines.join("\n");
}

function panelOf(results: Results, situation: Situation, columns: readonly Column[], top: number): string {
  const lines = [
    `<line class="rule" x1="${MARGIN}" y1="${top}" x2="${WIDTH - MARGIN}" y2="${top}"/>`,
    text(MARGIN, top + 22, "panel", KINDS[situation.kind].title),
  ];
  proxiesOf(results).forEach((proxy, index) => {
    const y = top + PANEL_HEAD + index * ROW;
    const base = y + ROW / 2 + 5;
    lines.push(text(MARGIN, base, OWN.includes(proxy) ? "own" : "name", PROXY_TITLES[proxy]));
    const { resumedPercent } = costOf(results, situation, proxy);
    lines.push(text(MARGIN + NAMES_WIDTH, base, "note", `${resumedPercent.toFixed(0)} %`));
    for (const column of columns) lines.push(barOf(column, column.bar(situation, proxy), y, base));
  });
  return lines.join("\n");
}

function barOf({ left, width, most }: Column, { parts, label }: Bar, y: number, base: number): string {
  const scale = (width - LABEL_WIDTH) / most;
  const lines: string[] = [];
  let at = left;
  for (const { value, style } of parts) {
    if (Number.isNaN(value)) return text(left, base, "note", "-");
    const length = value * scale;
    lines.push(`<rect class="${style}" x="${round(at)}" y="${y + 4}" width="${round(length)}" height="${ROW - 8}"/>`);
    at += length;
  }
  lines.push(text(at + 6, base, "value", label));
  return lines.join("");
}

/** For those who cannot see the picture. */
function descriptionOf(results: Results, situations: readonly Situation[], proxies: readonly ProxyName[]): string {
  return situations
    .map((situation) => {
      const costs = proxies.map(
        (proxy) => `${PROXY_TITLES[proxy]} ${costOf(results, situation, proxy).totalMicroseconds.toFixed(0)}`,
      );
      return `${KINDS[situation.kind].title}, microseconds of CPU per connection: ${costs.join(", ")}.`;
    })
    .join(" ");
}

function notesOf({ settings, cells }: Results, { resumePercent }: Situation): string[] {
  const rounds = cells[0]?.slices.length ?? 0;
  return [
    "Four servers that share nothing. Each connection comes from another address, as with clients that roam.",
    `${resumePercent} % of connections offer a session. Medians of ${rounds} rounds of ${settings.connections} connections; one worker. Less is better.`,
  ];
}

function text(x: number, y: number, style: string, content: string): string {
  return `<text class="${style}" x="${round(x)}" y="${round(y)}">${content}</text>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const OWN: ProxyName[] = ["hash", "exact"];
const WIDTH = 860;
const MARGIN = 22;
const NAMES_WIDTH = 172;
const RESUMED_WIDTH = 86;
const COLUMN_GAP = 14;
/** Behind the longest bar. */
const LABEL_WIDTH = 44;
const HEAD = 140;
const FOOT = 6;
const PANEL_HEAD = 32;
const PANEL_GAP = 12;
const ROW = 24;
/** Width of a letter of a note, about. */
const NOTE_CHARACTER = 7;
const STYLE = `
text{font-family:-apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans","DejaVu Sans",Helvetica,Arial,sans-serif;font-size:14px;fill:#1f2328}
.title{font-size:18px;font-weight:600}.panel,.head,.own{font-weight:600}.note{font-size:13px;fill:#57606a}
.ground{fill:#fff;stroke:#d0d7de}.rule{stroke:#d8dee4}.proxy{fill:#0969da}.servers{fill:#e0a030}.first{fill:#8c959f}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}
.rule{stroke:#30363d}.proxy{fill:#4493f8}.servers{fill:#bb8009}.first{fill:#6e7681}}
`;
