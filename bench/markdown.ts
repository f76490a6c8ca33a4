/** Tables in Markdown, whose columns also line up in a terminal. */

/** The first `leftColumns` columns begin at the left, the others, of figures, end at the right. */
export function table(head: string[], rows: string[][], leftColumns = 1): string {
  const widths = head.map((cell, column) =>
    Math.max(MIN_WIDTH, cell.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const padded = (cell: string, column: number): string =>
    column < leftColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const line = (cells: string[]): string => `| ${cells.map(padded).join(" | ")} |`;
  const rule = widths.map((width, column) => (column < leftColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Of a rule that says on which side a column lines up. */
const MIN_WIDTH = 3;
