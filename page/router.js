/** The view and its filters stand behind the # of the address, so a link leads to them. Never the token, and never a change. */

/** Returns the name of the view, and its filters. */
export function here() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  return { name: name || "overview", filters: Object.fromEntries(new URLSearchParams(query)) };
}

export function linkTo(name, filters = {}) {
  const fields = Object.entries(filters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return fields.length === 0 ? `#${name}` : `#${name}?${new URLSearchParams(fields)}`;
}

export function go(name, filters) {
  location.hash = linkTo(name, filters);
}
