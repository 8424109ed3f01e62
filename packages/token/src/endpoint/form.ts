import { collectBody } from "@registry-gate/auth-kit";

/** The largest form, in bytes. */
export const maxFormBytes = 65_536;

/** What a body holds, or why it is no form. */
export type FormReading =
  | { readonly parameters: URLSearchParams; readonly fault?: never }
  | { readonly fault: "type" | "size" | "encoding" };

const formType = /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a form (RFC 6749, appendix B), of at most 64 KiB.
 *
 * @throws what the body throws.
 */
export async function readForm(contentType: string | undefined, body: AsyncIterable<Uint8Array>): Promise<FormReading> {
  if (!formType.test(contentType ?? "")) return { fault: "type" };
  const bytes = await collectBody(body, maxFormBytes);
  if (bytes === undefined) return { fault: "size" };
  try {
    return { parameters: new URLSearchParams(decoder.decode(bytes)) };
  } catch {
    return { fault: "encoding" };
  }
}
