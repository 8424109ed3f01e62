/** The grammar of one segment of a repository's name, written once more. */
const component = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/;

/**
 * What a pattern without its `!` matches, by one regular expression that is slow and plain: `*` any text within a
 * segment, `**` any segments, at the end one or more, and the user's name itself, if it can be a segment.
 */
export function globOracle(pattern: string, repository: string, username: string | undefined): boolean {
  if (pattern.includes("${username}") && (username === undefined || !component.test(username))) return false;
  const segments = pattern.split("/");
  const source = segments.map((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === "**") return last ? "[^/]+(/[^/]+)*" : "([^/]+/)*";
    return segmentSource(segment, username ?? "") + (last ? "" : "/");
  });
  return new RegExp(`^${source.join("")}$`).test(repository);
}

function segmentSource(segment: string, username: string): string {
  return segment
    .split(/(\*|\$\{username\})/)
    .map((part) => (part === "*" ? "[^/]*" : escaped(part === "${username}" ? username : part)))
    .join("");
}

function escaped(text: string): string {
  return text.replace(/[^a-z0-9]/gi, "\\$&");
}
