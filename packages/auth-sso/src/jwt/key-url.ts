import { isLoopbackUrl } from "@registry-gate/auth-kit";

/** What is wrong with a URL from which keys, or what names them, are to be fetched. */
export function keyUrlFault(location: string): string | undefined {
  if (!URL.canParse(location)) return "must be a URL or a file";
  const url = new URL(location);
  if (url.username !== "" || url.password !== "") return "must not hold credentials";
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackUrl(url))) return undefined;
  return "must begin with https://: whoever can change the keys on their way can sign for everybody";
}
