import { basic } from "../support/basic.ts";

/** What the token endpoint says, as far as tests look at it. */
export interface TokenAnswer {
  readonly status: number;
  readonly token: string;
  readonly refreshToken: string | undefined;
  readonly error: unknown;
}

async function read(response: Response): Promise<TokenAnswer> {
  const body: unknown = await response.json();
  const member = (name: string): unknown => Reflect.get(Object(body), name);
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return {
    status: response.status,
    token: text(member("token")) ?? "",
    refreshToken: text(member("refresh_token")),
    error: member("error"),
  };
}

/** Asks for a token as docker does, with a login or without. */
export async function tokenFor(
  gate: string,
  scopes: readonly string[],
  { login, offline = false }: { login?: readonly [username: string, password: string]; offline?: boolean } = {},
): Promise<TokenAnswer> {
  const query = new URLSearchParams({ client_id: "test" });
  for (const scope of scopes) query.append("scope", scope);
  if (offline) query.set("offline_token", "true");
  return read(await fetch(`${gate}/v2/auth?${query}`, { headers: login === undefined ? {} : basic(...login) }));
}

/** Asks for a token by a refresh token. */
export async function refreshed(gate: string, refreshToken: string, scopes: readonly string[]): Promise<TokenAnswer> {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: "t",
  });
  for (const scope of scopes) form.append("scope", scope);
  return read(await fetch(`${gate}/v2/auth`, { method: "POST", body: form }));
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}
