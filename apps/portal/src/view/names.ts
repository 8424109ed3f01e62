import { type Html, html } from "./html.ts";

/** Names up to this many characters fit wherever they stand. */
const shortLength = 24;
/** How many characters at the end of a long name are always shown. */
const endLength = 12;

/** A name that, where it does not fit, is cut in its middle by the style sheet; the whole is there to hover and to read aloud. */
export function longName(name: string): Html {
  const characters = [...name];
  if (characters.length <= shortLength) return html`<span class="short">${name}</span>`;
  const start = characters.slice(0, -endLength).join("");
  const end = characters.slice(-endLength).join("");
  // Two boxes are read as two words.
  return html`<span class="name" title="${name}"><span class="start" aria-hidden="true">${start}</span><span class="end" aria-hidden="true">${end}</span><span class="hidden">${name}</span></span>`;
}

/** A digest by the first characters of its hash, as docker shows it. */
export function shortDigest(digest: string): Html {
  const [algorithm = "", hash = ""] = digest.split(":");
  const short = algorithm === "sha256" ? hash.slice(0, 12) : `${algorithm}:${hash.slice(0, 12)}`;
  return html`<code class="digest" title="${digest}">${short}</code>`;
}
