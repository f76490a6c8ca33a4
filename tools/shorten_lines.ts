/** Cuts long lines: when a compiler crashes, Node prints the line it crashed in, which in a bundled one is a megabyte. */
export function shortenLines(output: string): string {
  const lines = output.trim().split("\n");
  return lines.map((line) => (line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)} ...` : line)).join("\n");
}

const LINE_LIMIT = 2000;
