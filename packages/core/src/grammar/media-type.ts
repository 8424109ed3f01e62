import { restrictedName as name, quotedString, tokenCharacter } from "./grammar.ts";

const parameter = `[${tokenCharacter}]+=(?:[${tokenCharacter}]+|${quotedString})`;
const artifactType = new RegExp(`^${name}(?:/${name})?$`);
// Spaces belong to what follows them, never to what precedes: with two possibilities, matching would take exponential
// time.
const mediaTypeWithParameters = new RegExp(`^(${name}/${name})(?:[\\t ]*;(?:[\\t ]*${parameter})?)*[\\t ]*$`);

/** The maximum length of a media type with parameters, in characters. */
const longestMediaType = 512;

/**
 * Whether `text` is a valid artifact type: a media type without parameters (OCI image specification 1.1, section
 * "Guidelines for Artifact Usage"), or a bare name, as in older artifacts.
 */
export function isArtifactType(text: string): boolean {
  return text.length <= longestMediaType && artifactType.test(text);
}

/**
 * The `type/subtype` of a `Content-Type` (RFC 9110, section 8.3.1) in lower case. Parameters are parsed and dropped: no
 * media type of a registry has any, and unknown ones are to be ignored (RFC 2045, section 5.1).
 */
export function mediaTypeOf(value: string): string | undefined {
  if (value.length > longestMediaType) return undefined;
  return mediaTypeWithParameters.exec(value)?.[1]?.toLowerCase();
}
