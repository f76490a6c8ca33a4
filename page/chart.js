/**
 * A chart over time as SVG: lines, or areas that stand on each other. The values of the moment under the pointer, or under the
 * arrow keys, stand in the legend; else the newest.
 */
import { fill, h, s } from "./dom.js";
import { clock } from "./format.js";

const HEIGHT = 168;
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 8, 10, 22];

/**
 * `series` are {label, kind, value(slot)}; `kind` is the class with the colour, and `value` may be null. `format` writes a value, `mark` a
 * mark of the axis.
 */
export function chart({ title, note, series, format, mark, isStacked = false, max, controls }) {
  const values = series.map(() => h("b", null, "–"));
  const time = h("span", { class: "dim" });
  const spoken = h("span", { class: "unseen", "aria-live": "polite" });
  const area = h("div", {
    class: "plot",
    tabindex: "0",
    role: "group",
    "aria-label": `${title}; the arrow keys read values`,
  });
  const root = h(
    "section",
    { class: "panel chart", "aria-label": title },
    h("div", { class: "panel-head" }, h("h2", null, title), time, h("span", { class: "grow" }), controls),
    h(
      "div",
      { class: "legend" },
      series.map(({ label, kind }, index) =>
        h("span", null, h("i", { class: `swatch ${kind}` }), label, " ", values[index]),
      ),
    ),
    area,
    note && h("p", { class: "note" }, note),
    spoken,
  );
  let slots = [];
  let cursor = -1;
  let width = 0;

  new ResizeObserver(([{ contentRect }]) => {
    if (Math.abs(contentRect.width - width) < 1) return;
    width = contentRect.width;
    draw();
  }).observe(area);
  area.addEventListener("pointermove", (event) => {
    const x = event.clientX - area.getBoundingClientRect().left - LEFT;
    point(Math.round((x / (width - LEFT - RIGHT)) * slots.length - 0.5));
  });
  area.addEventListener("pointerleave", () => point(-1));
  area.addEventListener("blur", () => point(-1));
  area.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    point(cursor < 0 ? slots.length - 1 : cursor + step);
    spoken.textContent = `${time.textContent}: ${series.map(({ label }, index) => `${label} ${values[index].textContent}`).join(", ")}`;
  });

  return {
    root,
    update(newSlots) {
      slots = newSlots;
      draw();
    },
  };

  function point(index) {
    cursor = index < 0 ? -1 : Math.min(index, slots.length - 1);
    draw();
  }

  function draw() {
    if (width === 0 || slots.length === 0) return;
    const rows = series.map(({ value }) => slots.map((slot) => (slot.counters === null ? null : value(slot))));
    const totals = slots.map((_, slot) => rows.reduce((total, row) => total + (row[slot] ?? 0), 0));
    const highest = max ?? niceAbove(Math.max(...(isStacked ? totals : rows.flat())));
    const x = (slot) => LEFT + ((slot + 0.5) / slots.length) * (width - LEFT - RIGHT);
    const y = (value) => TOP + (1 - value / highest) * (HEIGHT - TOP - BOTTOM);
    const parts = [axes(highest, y)];
    const floor = slots.map(() => 0);
    rows.forEach((row, index) => {
      const { kind } = series[index];
      if (isStacked) {
        parts.push(stacked(row, floor, x, y, kind));
      } else {
        const points = row.flatMap((value, slot) =>
          value === null ? [] : [`${x(slot).toFixed(1)},${y(value).toFixed(1)}`],
        );
        if (points.length === 1) points.push(points[0]);
        parts.push(s("polyline", { class: `line ${kind}`, points: points.join(" ") }));
      }
    });
    if (cursor >= 0)
      parts.push(s("line", { class: "cursor", x1: x(cursor), x2: x(cursor), y1: TOP, y2: HEIGHT - BOTTOM }));
    const isEmpty = rows.flat().every((value) => value === null);
    if (isEmpty) {
      parts.push(
        s("text", { class: "waiting", x: (width + LEFT) / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "collecting …"),
      );
    }
    fill(
      area,
      s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": title }, parts),
    );
    const read = cursor >= 0 ? cursor : newest(rows);
    rows.forEach((row, index) => (values[index].textContent = format(row[read] ?? null)));
    fill(time, cursor >= 0 && clock(slots[cursor].seconds));
  }

  /** The last slot with any value. */
  function newest(rows) {
    for (let slot = slots.length - 1; slot >= 0; slot--) if (rows.some((row) => row[slot] !== null)) return slot;
    return slots.length - 1;
  }

  function axes(highest, y) {
    const lines = [0, 0.25, 0.5, 0.75, 1].map((part) => [
      s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(highest * part), y2: y(highest * part) }),
      (part * 4) % 2 === 0 &&
        s("text", { x: LEFT - 7, y: y(highest * part) + 3.5, "text-anchor": "end" }, mark(highest * part)),
    ]);
    const marks = width < 420 ? 2 : 4;
    const times = Array.from({ length: marks + 1 }, (_, mark) => {
      const slot = Math.round((mark / marks) * (slots.length - 1));
      const anchor = mark === 0 ? "start" : mark === marks ? "end" : "middle";
      const at = LEFT + (mark / marks) * (width - LEFT - RIGHT);
      return s("text", { x: at, y: HEIGHT - 6, "text-anchor": anchor }, timeOf(slots[slot].seconds));
    });
    return s("g", { class: "axes" }, lines, times);
  }

  function stacked(row, floor, x, y, kind) {
    const runs = [];
    row.forEach((value, slot) => {
      if (value === null) return;
      if (slot === 0 || row[slot - 1] === null) runs.push([]);
      runs.at(-1).push(slot);
    });
    const shapes = runs.map((run) => {
      const top = run.map((slot) => `${x(slot).toFixed(1)},${y(floor[slot] + row[slot]).toFixed(1)}`);
      const bottom = run.map((slot) => `${x(slot).toFixed(1)},${y(floor[slot]).toFixed(1)}`).reverse();
      return [
        s("polygon", { class: `area ${kind}`, points: [...top, ...bottom].join(" ") }),
        s("polyline", { class: `line ${kind}`, points: top.join(" ") }),
      ];
    });
    row.forEach((value, slot) => (floor[slot] += value ?? 0));
    return s("g", null, shapes);
  }
}

/** The next of 1, 2, 4, 6, 8, 10 times a power of ten. */
function niceAbove(value) {
  if (!(value > 0)) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value * 1.05) ?? 20) * power;
}

function timeOf(seconds) {
  const when = new Date(seconds * 1000);
  return [when.getHours(), when.getMinutes(), when.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
