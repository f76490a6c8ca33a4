/** The notes of a release: the section of its version in CHANGELOG.md, without the heading. */

/**
 * Returns the text below `## [VERSION]` (or `## VERSION`, with a date or without) up to the next heading of that level or to the
 * definitions of links at the end; null if there is no such heading.
 */
export function notesOf(changelog: string, version: string): string | null {
  const lines = changelog.split("\n");
  const start = lines.findIndex((line) => /^## \[?([^\]\s]+)/.exec(line)?.[1] === version);
  if (start < 0) return null;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith("## ") || /^\[[^\]]+\]: /.test(line));
  return `${rest
    .slice(0, end < 0 ? rest.length : end)
    .join("\n")
    .trim()}\n`;
}
