import { z } from "zod";

const form = "must be redis:// or rediss:// with a host, such as redis://redis:6379";

/** The schema of a Redis URL. What it says never quotes the URL, which may hold a password. */
export const redisUrlSchema: z.ZodType<string> = z.string(form).refine(isRedisUrl, form);

/** Whether a text is a URL that the client library understands (iana.org/assignments/uri-schemes/prov/redis). */
function isRedisUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "") return false;
  if (url.search !== "" || url.hash !== "" || !/^\/?$|^\/\d{1,5}$/.test(url.pathname)) return false;
  try {
    decodeURIComponent(url.username);
    decodeURIComponent(url.password);
    return true;
  } catch {
    return false;
  }
}
