import type { HttpClient } from "./http-client.ts";

/** How a client proves who it is. */
export interface Login {
  readonly username: string;
  /** The headers for a request to a repository. */
  headers(repository: string): Promise<Readonly<Record<string, string>>>;
  /** The headers were refused: they are made anew the next time. */
  refused(): void;
}

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** A password with every request, as after a Basic challenge. */
export function basicLogin({ username, password }: Account): Login {
  const headers = { Authorization: basic({ username, password }) };
  return { username, headers: async () => headers, refused: () => {} };
}

/**
 * Tokens for each repository, as docker gets them: a refresh token by the password first, and by that the others. Where
 * the refresh token is good no more, because Redis has lost it, the person logs in again.
 */
export function tokenLogin(account: Account, client: HttpClient): Login {
  const tokens = new Map<string, string>();
  let refresh: string | undefined;

  async function tokenFor(repository: string): Promise<string> {
    const scope = `repository:${repository}:pull,push,delete`;
    if (refresh !== undefined) {
      const form = { grant_type: "refresh_token", refresh_token: refresh, client_id: "soak", scope };
      const reply = await client.send({
        method: "POST",
        target: "/v2/auth",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(form).toString(),
      });
      if (reply.status === 200) return tokenIn(reply.body, "access_token");
      if (reply.status !== 400) throw new Error(`refreshing a token: ${reply.status} ${reply.body.toString()}`);
      refresh = undefined;
    }
    const query = new URLSearchParams({ account: account.username, scope, offline_token: "true", client_id: "soak" });
    const reply = await client.send({
      method: "GET",
      target: `/v2/auth?${query}`,
      headers: { Authorization: basic(account) },
    });
    if (reply.status !== 200) throw new Error(`a right password gets ${reply.status} ${reply.body.toString()}`);
    refresh = tokenIn(reply.body, "refresh_token");
    return tokenIn(reply.body, "token");
  }

  return {
    username: account.username,
    async headers(repository) {
      const token = tokens.get(repository) ?? (await tokenFor(repository));
      tokens.set(repository, token);
      return { Authorization: `Bearer ${token}` };
    },
    refused: () => tokens.clear(),
  };
}

export function basic({ username, password }: Account): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function tokenIn(body: Buffer, name: string): string {
  const value: unknown = JSON.parse(body.toString());
  const token = typeof value === "object" && value !== null && name in value ? Reflect.get(value, name) : undefined;
  if (typeof token !== "string") throw new Error(`the response has no ${name}`);
  return token;
}
