import { restrictedName as name, quotedString, tokenCharacter } from "./grammar.ts";

const parameter = `[${tokenCharacter}]+=(?:[${tokenCharacter}]+|${quotedString})`;
const artifactType = new RegExp(`^${name}(?:/${name})?$`);
// A blank belongs to what follows it, never to what stands before: with two readings the expression would be exponential.
const mediaTypeWithParameters = new RegExp(`^(${name}/${name})(?:[\\t ]*;(?:[\\t ]*${parameter})?)*[\\t ]*$`);

/** The longest media type that is read, parameters included, in characters. */
const longestMediaType = 512;

/**
 * Whether `text` can be the type of an artifact: a media type without parameters (OCI image specification 1.1, section
 * "Guidelines for Artifact Usage"), or a bare name, as artifacts had before that was written down.
 */
export function isArtifactType(text: string): boolean {
  return text.length <= longestMediaType && artifactType.test(text);
}

/**
 * The `type/subtype` of a `Content-Type` (RFC 9110, section 8.3.1) in lower case. No media type of a registry has
 * parameters, and whoever does not know a parameter ignores it (RFC 2045, section 5.1), so they are read and left out.
 */
export function mediaTypeOf(value: string): string | undefined {
  if (value.length > longestMediaType) return undefined;
  return mediaTypeWithParameters.exec(value)?.[1]?.toLowerCase();
}
