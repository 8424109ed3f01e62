import type { BasicCredentials, Credentials } from "@registry-gate/auth";
import { isStreamSafe } from "../names/stream-safe.ts";

/** Far above any password, and above most tokens that clients send in the place of one. */
const longestHeader = 12_288;
/** No head of a request that the gateway takes is longer. */
const longestHead = 32_768;
const longestUsername = 512;
/** Of what has to be normalised, in bytes of UTF-8. A token is ASCII. */
const longestUnicode = 4096;
const ascii = /^[ -~]*$/;

const basicPattern = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const token68 = "[A-Za-z0-9\\-._~+/]+=*";
const bearerPattern = new RegExp(`^bearer +(${token68})$`, "i");
/** The token68 of RFC 9110, section 11.2: the syntax of a Bearer token. */
export const token68Pattern: RegExp = new RegExp(`^${token68}$`);
/** A C0 or C1 control or DEL. No user name or password may hold one (RFC 8265, section 3.5.2). */
export const controlPattern: RegExp = /[\u0000-\u001f\u007f-\u009f]/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * How long an `Authorization` header may be, so that it has room for a credential as long as backends take.
 *
 * @param credential In bytes; `undefined` where no backend takes more than any does.
 */
export function maxAuthorizationLength(credential: number | undefined): number {
  if (credential === undefined) return longestHeader;
  const login = 4 * longestUsername + 1 + credential;
  return Math.min(Math.max(longestHeader, "Basic ".length + 4 * Math.ceil(login / 3)), longestHead);
}

/** How long a password or token may be for a backend that does not say so, in bytes. */
export const defaultMaxCredentialBytes: number = longestHeader;

/**
 * Reads an `Authorization` header: Basic as of RFC 7617 with UTF-8, Bearer as of RFC 6750.
 *
 * @param maxLength Of the header, as {@link maxAuthorizationLength} computes it.
 * @returns `"nobody"` for Basic with an empty user name and an empty password: containers/image (skopeo, podman, buildah,
 * CRI-O) sends it where it has no login. `undefined` for whatever is not well-formed: not the canonical Base64 of
 * well-formed UTF-8, no colon, an empty user name or password, a control character, over-long, or another scheme.
 */
export function parseAuthorization(
  header: string,
  maxLength: number = longestHeader,
): Credentials | "nobody" | undefined {
  if (header.length > maxLength) return undefined;
  const login = basicLogin(header);
  if (login?.username === "" && login.password === "") return "nobody";
  if (login !== undefined) return basicCredentials(login.username, login.password, maxLength);
  const token = bearerPattern.exec(header)?.[1];
  return token === undefined ? undefined : { scheme: "bearer", token };
}

/** Whether an `Authorization` header has a Bearer token, good or bad. */
export function isBearer(header: string): boolean {
  return bearerPattern.test(header);
}

/** The two parts of a Basic header that is the canonical Base64 of well-formed UTF-8; either may be anything. */
export function basicLogin(header: string): { readonly username: string; readonly password: string } | undefined {
  const encoded = basicPattern.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return undefined;
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * A user name and a password as a Basic login would give them, for code that has them from elsewhere, such as a form.
 *
 * @returns `undefined` for what no login can hold: an empty part, a colon in the name, a control character, text that is
 * not well-formed Unicode, more than 30 combining marks in a row, an over-long name or password.
 * @param maxLength Of the password, in characters.
 */
export function basicCredentials(
  username: string,
  password: string,
  maxLength: number = longestHeader,
): BasicCredentials | undefined {
  if (username.length > longestUsername || password.length > maxLength) return undefined;
  if (username === "" || password === "" || username.includes(":")) return undefined;
  const name = normalForm(username);
  const secret = normalForm(password);
  if (name === undefined || secret === undefined || name.length > longestUsername) return undefined;
  return { scheme: "basic", username: name, password: secret };
}

/** Bounds come first: normalisation can take the square of the time that it takes to send a text. */
function normalForm(text: string): string | undefined {
  if (ascii.test(text)) return text;
  if (Buffer.byteLength(text) > longestUnicode || controlPattern.test(text) || !text.isWellFormed()) return undefined;
  return isStreamSafe(text) ? text.normalize("NFC") : undefined;
}
