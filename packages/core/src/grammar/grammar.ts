/**
 * Reads the value of a header by a grammar of ASCII characters, and writes it anew from what was read: the client's own
 * characters never travel. `undefined` where the value is outside the grammar.
 *
 * Linear in the length of the value, and idempotent: what was written is read as itself.
 */
export type Grammar = (value: string) => string | undefined;

/** A character of a token (RFC 9110, section 5.6.2), for a class within another expression. */
export const tokenCharacter = "!#$%&'*+\\-.^_`|~0-9A-Za-z";

/** A restricted name (RFC 6838, section 4.2): narrower than a token, so that no wildcard is one. */
export const restrictedName = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}";

/** A string in quotes (RFC 9110, section 5.6.4) of ASCII characters. */
export const quotedString = '"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*"';

/** The longest value of a list that is read, in characters: ten times what any known client sends. */
export const longestList = 4096;
