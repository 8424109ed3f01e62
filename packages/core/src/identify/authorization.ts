import type { BasicCredentials, Credentials } from "@registry-gate/auth";
import { isStreamSafe } from "@registry-gate/auth-kit";

/** Far above any password, and above the tokens that clients send in the place of one. */
const longestHeader = 12_288;
const longestUsername = 512;
/** Of what has to be normalised, in bytes of UTF-8. A token is ASCII. */
const longestUnicode = 4096;
const ascii = /^[ -~]*$/;

const basicPattern = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
/** The token68 of RFC 9110, section 11.2. */
const bearerPattern = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
// C0 and C1 controls and DEL, which no user name or password may hold (RFC 8265, section 3.5.2).
const controls = /[\u0000-\u001f\u007f-\u009f]/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** An empty user name and password, in Base64. */
const nobody = Buffer.from(":").toString("base64");

/**
 * Reads an `Authorization` header: Basic as of RFC 7617 with UTF-8, Bearer as of RFC 6750.
 *
 * @returns `"nobody"` for Basic with an empty user name and an empty password: containers/image (skopeo, podman, buildah,
 * CRI-O) sends it where it has no login. `undefined` for whatever is not well-formed: not the canonical Base64 of
 * well-formed UTF-8, no colon, an empty user name or password, a control character, over-long, or another scheme.
 */
export function parseAuthorization(header: string): Credentials | "nobody" | undefined {
  if (header.length > longestHeader) return undefined;
  const basic = basicPattern.exec(header)?.[1];
  if (basic === nobody) return "nobody";
  if (basic !== undefined) return parseBasic(basic);
  const token = bearerPattern.exec(header)?.[1];
  return token === undefined ? undefined : { scheme: "bearer", token };
}

function parseBasic(encoded: string): Credentials | undefined {
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return undefined;
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  return colon === -1 ? undefined : basicCredentials(text.slice(0, colon), text.slice(colon + 1));
}

/**
 * A user name and a password as a Basic login would give them, for code that has them from elsewhere, such as a form.
 *
 * @returns `undefined` for what no login can hold: an empty part, a colon in the name, a control character, text that is
 * not well-formed Unicode, more than 30 combining marks in a row, an over-long name or password.
 */
export function basicCredentials(username: string, password: string): BasicCredentials | undefined {
  if (username.length > longestUsername || password.length > longestHeader) return undefined;
  if (username === "" || password === "" || username.includes(":")) return undefined;
  const name = normalForm(username);
  const secret = normalForm(password);
  if (name === undefined || secret === undefined || name.length > longestUsername) return undefined;
  return { scheme: "basic", username: name, password: secret };
}

/** Bounds come first: normalisation can take the square of the time that it takes to send a text. */
function normalForm(text: string): string | undefined {
  if (ascii.test(text)) return text;
  if (Buffer.byteLength(text) > longestUnicode || controls.test(text) || !text.isWellFormed()) return undefined;
  return isStreamSafe(text) ? text.normalize("NFC") : undefined;
}
