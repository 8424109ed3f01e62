/** Cookies by origin, as a browser keeps them, and what it meets on its way. */
export interface BrowserJar {
  /** Follows redirects, to where there are no more. */
  go(url: string, init?: RequestInit): Promise<Visit>;
  /** One request, without following. */
  step(url: string, init?: RequestInit): Promise<Visit>;
  cookies(origin: string): Map<string, string>;
}

export interface Visit {
  readonly url: string;
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
  /** The URLs on the way here. */
  readonly way: readonly string[];
}

const mostSteps = 15;

export function browserJar(): BrowserJar {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (origin: string): Map<string, string> => {
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };

  async function step(url: string, init: RequestInit = {}): Promise<Visit> {
    const jar = jarOf(new URL(url).origin);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "" || /expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    return { url, status: response.status, location, text: await response.text(), way: [url] };
  }

  return {
    step,
    cookies: jarOf,
    async go(first, init) {
      const way: string[] = [];
      let visit = await step(first, init);
      way.push(first);
      while (visit.location !== null && way.length < mostSteps) {
        const next = new URL(visit.location, visit.url).href;
        visit = await step(next);
        way.push(next);
      }
      return { ...visit, way };
    },
  };
}
