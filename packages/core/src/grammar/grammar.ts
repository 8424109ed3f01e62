/**
 * Parses the value of a header by a grammar of ASCII characters, and writes it anew: the client's own characters are
 * never forwarded. `undefined` for an invalid value.
 *
 * Linear in the length of the value, and idempotent: its output parses to itself.
 */
export type Grammar = (value: string) => string | undefined;

/** A character of a token (RFC 9110, section 5.6.2), for use in a character class. */
export const tokenCharacter = "!#$%&'*+\\-.^_`|~0-9A-Za-z";

/** A restricted name (RFC 6838, section 4.2): narrower than a token, so that it excludes wildcards. */
export const restrictedName = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}";

/** A quoted string (RFC 9110, section 5.6.4) of ASCII characters. */
export const quotedString = '"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*"';

/** The maximum length of a list, in characters: ten times what any known client sends. */
export const longestList = 4096;
