import { type Grammar, longestList } from "./grammar.ts";

const entityTag = /(?:W\/)?"[!#-~]*"/y;
const separator = /[\t ]*(?:,[\t ,]*|$)/y;
const singleEntityTag = /^(?:W\/)?"[!#-~]*"$/;
const longestEntityTag = 512;
/** The length of an IMF-fixdate. */
const dateLength = "Sun, 06 Nov 1994 08:49:37 GMT".length;

/** `If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2), of ASCII characters. */
export const entityTags: Grammar = (value) => {
  if (value === "*") return value;
  if (value.length > longestList) return undefined;
  const tags: string[] = [];
  let at = 0;
  while (at < value.length) {
    entityTag.lastIndex = at;
    const tag = entityTag.exec(value)?.[0];
    if (tag === undefined) return undefined;
    tags.push(tag);
    separator.lastIndex = entityTag.lastIndex;
    if (!separator.test(value)) return undefined;
    at = separator.lastIndex;
  }
  return tags.length === 0 ? undefined : tags.join(", ");
};

/** `If-Modified-Since` and `If-Unmodified-Since`: an IMF-fixdate (RFC 9110, section 5.6.7); no known client sends another. */
export const httpDate: Grammar = (value) => {
  if (value.length !== dateLength) return undefined;
  const written = new Date(value).toUTCString();
  return written === value ? written : undefined;
};

/** `If-Range` (RFC 9110, section 13.1.5). */
export const ifRange: Grammar = (value) => {
  if (value.length <= longestEntityTag && singleEntityTag.test(value)) return value;
  return httpDate(value);
};
