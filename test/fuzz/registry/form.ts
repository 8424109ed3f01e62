import type { ReceivedHead } from "./request-stream.ts";

/**
 * The parameters that a body holds, as the most lenient reader finds them: the type is read as UTF-8, white space of any
 * script around it is taken away, and letters are folded, as Go's `mime.ParseMediaType` does.
 */
export function formOf({ headers }: ReceivedHead, body: string): URLSearchParams {
  const raw = headers.find(([name]) => name === "content-type")?.[1] ?? "";
  const type = Buffer.from(raw, "latin1").toString("utf8").trim().toLowerCase();
  const [essence = ""] = type.split(";");
  if (essence.trim() === "application/x-www-form-urlencoded") return new URLSearchParams(body);
  const parameters = new URLSearchParams();
  if (!essence.trim().startsWith("multipart/")) return parameters;
  for (const [, name = "", value = ""] of body.matchAll(/name="([^"]*)"[^\n]*\r?\n\r?\n([^\r\n]*)/g)) {
    parameters.append(name, value);
  }
  return parameters;
}
