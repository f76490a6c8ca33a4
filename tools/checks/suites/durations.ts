/** How long each check took, slowest first, in lines of at most LINE_WIDTH characters. */
export function durations(took: [name: string, seconds: number][]): string {
  const sorted = [...took].sort(([, one], [, other]) => other - one);
  const lines: string[] = [];
  let line = "took:";
  for (const [index, [name, seconds]] of sorted.entries()) {
    const entry = ` ${name} ${seconds.toFixed(1)} s${index < sorted.length - 1 ? "," : ""}`;
    if (line.length + entry.length > LINE_WIDTH) {
      lines.push(line);
      line = "     ";
    }
    line += entry;
  }
  return [...lines, line].join("\n");
}

const LINE_WIDTH = 120;
