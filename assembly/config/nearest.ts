/** Suggests a name for one that does not exist. */

/** Returns the name that is fewest edits away, if these are few for its length; else "". O(names x length^2). */
export function nearest(name: string, names: StaticArray<string>): string {
  if (name.length > MAX_LENGTH) return "";
  let best = "";
  let fewest = MAX_EDITS + 1;
  for (let i = 0; i < names.length; i++) {
    const edits = distance(name.toLowerCase(), names[i]);
    if (edits < fewest && edits * 2 < names[i].length) {
      best = names[i];
      fewest = edits;
    }
  }
  return best;
}

/** Levenshtein's distance: the number of insertions, deletions and replacements of one character. */
function distance(a: string, b: string): i32 {
  let previous = new StaticArray<i32>(b.length + 1);
  let current = new StaticArray<i32>(b.length + 1);
  for (let j = 0; j <= b.length; j++) previous[j] = j;
  for (let i = 1; i <= a.length; i++) {
    current[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a.charCodeAt(i - 1) == b.charCodeAt(j - 1) ? 0 : 1);
      current[j] = min(replaced, min(previous[j], current[j - 1]) + 1);
    }
    const swapped = previous;
    previous = current;
    current = swapped;
  }
  return previous[b.length];
}

const MAX_EDITS: i32 = 3;
/** Longer names are not misspelt. It bounds the work, too. */
const MAX_LENGTH: i32 = 64;
