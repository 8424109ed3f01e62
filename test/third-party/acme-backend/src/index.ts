import {
  type AuthBackend,
  type AuthBackendPlugin,
  type AuthResult,
  BackendUnavailableError,
  type Identity,
} from "@registry-gate/auth";
import { type Options, optionsSchema, readOptions } from "./options.ts";

export const plugin: AuthBackendPlugin = {
  type: "@acme/registry-gate-auth-accounts",
  apiVersion: 1,
  optionsSchema,
  async open(options, { id, baseDirectory }) {
    return accounts(await readOptions(options, baseDirectory), id);
  },
};

/** Asks the service: 200 with the account, 403 for a wrong password, 404 for nobody it knows. */
function accounts(options: Options, id: string): AuthBackend {
  const { url, key, timeout } = options;

  async function ask(path: string, body: object, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(new URL(path, url), {
        method: "POST",
        headers: { "x-acme-key": key, "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
      });
    } catch (error) {
      throw new BackendUnavailableError(id, `${url.host} gives no answer`, { cause: error });
    }
  }

  async function accountOf(response: Response): Promise<Identity> {
    const account: unknown = await response.json().catch(() => undefined);
    const identity = readAccount(account, options, id);
    if (identity === undefined) throw new BackendUnavailableError(id, `${url.host} answers what is no account`);
    return identity;
  }

  return {
    id,
    async authenticate({ credentials, signal }): Promise<AuthResult> {
      if (credentials?.scheme !== "basic") return { status: "abstained" };
      const { username, password } = credentials;
      const response = await ask("/login", { username, password }, signal);
      if (response.status === 200) return { status: "authenticated", identity: await accountOf(response) };
      await response.body?.cancel();
      if (response.status === 403) return { status: "rejected", reason: "wrong password" };
      if (response.status === 404) return { status: "abstained" };
      throw new BackendUnavailableError(id, `${url.host} answers ${response.status}`);
    },
    async check(signal) {
      const response = await ask("/ping", {}, signal);
      await response.body?.cancel();
      if (!response.ok) throw new BackendUnavailableError(id, `${url.host} answers ${response.status}`);
    },
  };
}

function readAccount(account: unknown, { groups }: Options, backend: string): Identity | undefined {
  if (typeof account !== "object" || account === null) return undefined;
  const { number, name, teams }: { number?: unknown; name?: unknown; teams?: unknown } = account;
  if (typeof number !== "number" || typeof name !== "string" || name === "" || !Array.isArray(teams)) return undefined;
  const own = teams.flatMap((team: unknown) => (typeof team === "string" ? (groups.get(team) ?? []) : []));
  return { subject: `account-${number}`, username: name, groups: own, backend };
}
