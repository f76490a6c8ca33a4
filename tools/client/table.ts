/** Aligned columns. A table fits its width: the widest columns that may shrink give way first, and … marks a cut. */
import { printable, shortened, widthOf } from "./text.ts";

export interface Column<Row> {
  title: string;
  /** Null is shown as -. The text may come from the wire. */
  cell: (row: Row) => string | number | null;
  /** The text of a table that is too wide otherwise. */
  narrow?: (row: Row) => string;
  align?: "right";
  /** The column shrinks to as many columns, if the table is too wide. Others keep their width. */
  shrinksTo?: number;
}

/** One line for the titles and one for each row; `width` null is unlimited. */
export function table<Row>(columns: Column<Row>[], rows: readonly Row[], width: number | null): string[] {
  const titles = columns.map(({ title }) => title);
  let lines = [titles, ...rows.map((row) => columns.map(({ cell }) => printable(String(cell(row) ?? "-"))))];
  let widths = widthsOf(lines);
  if (width !== null && excessOf(widths, width) > 0) {
    lines = [
      titles,
      ...rows.map((row) => columns.map(({ cell, narrow = cell }) => printable(String(narrow(row) ?? "-")))),
    ];
    widths = widthsOf(lines);
    fit(columns, widths, width);
  }
  return lines.map((line) =>
    line
      .map((text, at) => {
        const columnWidth = widths[at] ?? 0;
        const aligned = columns[at]?.align === "right" ? alignedRight : alignedLeft;
        return aligned(shortened(text, columnWidth), columnWidth);
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
}

/** Pairs of a name and a value, aligned; a value is cut at `width`. */
export function facts(pairs: [string, string | number | null][], width: number | null): string[] {
  const nameWidth = Math.max(...pairs.map(([name]) => widthOf(name)));
  return pairs.map(([name, value]) => {
    const text = printable(String(value ?? "-"));
    const room = width === null ? Infinity : Math.max(8, width - nameWidth - GAP);
    return alignedLeft(name, nameWidth) + " ".repeat(GAP) + shortened(text, room);
  });
}

/** Takes single columns from the widest that may still shrink, until all fit or none may. */
function fit<Row>(columns: Column<Row>[], widths: number[], width: number): void {
  for (let excess = excessOf(widths, width); excess > 0; excess--) {
    let widest = -1;
    for (const [at, { shrinksTo }] of columns.entries()) {
      if (shrinksTo === undefined || (widths[at] ?? 0) <= shrinksTo) continue;
      if (widest < 0 || (widths[at] ?? 0) > (widths[widest] ?? 0)) widest = at;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function widthsOf(lines: string[][]): number[] {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [at, text] of line.entries()) widths[at] = Math.max(widths[at] ?? 0, widthOf(text));
  }
  return widths;
}

/** Columns beyond the width. */
function excessOf(widths: number[], width: number): number {
  return widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
}

function alignedLeft(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

function alignedRight(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text))) + text;
}

const GAP = 2;
