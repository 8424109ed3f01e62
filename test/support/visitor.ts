/** A browser as far as HTTP goes: it keeps cookies, says from which page it comes, and follows nothing by itself. */
export interface Visitor {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a form, with the token of the page that was seen last. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  signIn(username: string, password: string, to?: string): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly location: string | null;
  readonly text: string;
}

/**
 * @param url Of the portal, with the path below which it is mounted.
 * @param always Headers of each request.
 */
export function visitor(url: string, always: Readonly<Record<string, string>> = {}): Visitor {
  const cookies = new Map<string, string>();
  let token = "";

  async function send(path: string, init: RequestInit): Promise<Answer> {
    const headers = new Headers({ ...always, ...Object.fromEntries(new Headers(init.headers)) });
    if (cookies.size > 0) headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(new URL(path, url), { ...init, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const text = await response.text();
    token = /name="form-token" value="([^"]+)"/.exec(text)?.[1] ?? token;
    return { status: response.status, headers: response.headers, location: response.headers.get("location"), text };
  }

  const page = new URL(url);
  const visit: Visitor = {
    cookies,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, fields = {}, headers = {}) =>
      send(path, {
        method: "POST",
        body: new URLSearchParams({ "form-token": token, ...fields }),
        headers: { origin: page.origin, ...headers },
      }),
    async signIn(username, password, to) {
      const base = page.pathname === "/" ? "" : page.pathname;
      await visit.get(`${base}/sign-in${to === undefined ? "" : `?to=${encodeURIComponent(to)}`}`);
      return visit.post(`${base}/sign-in`, { username, password, ...(to !== undefined && { to }) });
    },
  };
  return visit;
}
