/**
 * Headers that list preferences, such as Accept and Accept-Encoding (RFC 9110 12.5). The case of names does not matter.
 *
 * Cost: O(length of the header) for each name. A header above MAX_LENGTH characters accepts nothing.
 */

/**
 * Reports whether a header accepts something by one of its names, the most exact one first and the widest wildcard last. The
 * first name that is listed decides; a weight of 0 excludes it.
 */
export function accepts(header: string, names: StaticArray<string>): bool {
  if (header.length > MAX_LENGTH) return false;
  const items = header.toLowerCase().split(",");
  for (let i = 0; i < names.length; i++) {
    for (let j = 0; j < items.length; j++) {
      const parameters = items[j].split(";");
      if (parameters[0].trim() == names[i]) return !isExcluded(parameters);
    }
  }
  return false;
}

/** Reports whether the parameters of an item have a weight of 0, such as `q=0` and `q=0.000` (RFC 9110 12.4.2). */
function isExcluded(parameters: string[]): bool {
  for (let i = 1; i < parameters.length; i++) {
    const parameter = parameters[i].trim();
    if (!parameter.startsWith("q=0")) continue;
    for (let at = 3; at < parameter.length; at++) {
      if (parameter.charCodeAt(at) != 0x2e && parameter.charCodeAt(at) != 0x30) return false;
    }
    return true;
  }
  return false;
}

const MAX_LENGTH: i32 = 1024;
