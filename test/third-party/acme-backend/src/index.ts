import type { AuthBackendPlugin } from "@registry-gate/auth";
import * as kit from "@registry-gate/auth-kit";

const account = kit.z.object({ number: kit.z.int(), name: kit.z.string().min(1), teams: kit.z.array(kit.z.string()) });

/** Asks ACME's accounts service: 200 with the account, 403 for a wrong password, 404 for nobody it knows. */
export const plugin: AuthBackendPlugin = kit.definePlugin({
  type: "@acme/registry-gate-auth-accounts",
  options: kit.z.strictObject({
    url: kit.urlOption(),
    keyFile: kit.textOption("the path of a file"),
    groups: kit.z.record(kit.z.string(), kit.textOption("the name of a group"), "must map groups").exactOptional(),
    timeout: kit.durationOption("How long the service may take; 5s by default").exactOptional(),
  }),
  async open({ url, keyFile, groups = {}, timeout = "5s" }, { id, ...context }) {
    const key = await kit.followSecret(keyFile, ["keyFile"], context);
    const groupOf = new Map(Object.entries(groups));
    const ask = (path: string, question: object, until: AbortSignal) =>
      kit.orUnavailable(id, "no answer from the accounts service", async () => {
        const [headers, signal] = [{ "x-acme-key": key.current() }, kit.signalWithin(until, timeout)];
        const init = { method: "POST", headers, body: JSON.stringify(question), redirect: "error", signal } as const;
        const response = await fetch(new URL(path, url), init);
        const text = await response.text();
        if (![200, 403, 404].includes(response.status)) throw new Error(`status ${response.status}`);
        return response.status === 200 && text !== "" ? account.parse(JSON.parse(text)) : response.status;
      });
    return {
      id,
      async authenticate({ credentials, signal }) {
        if (credentials?.scheme !== "basic") return { status: "abstained" };
        const found = await ask("/login", credentials, signal);
        if (found === 403) return { status: "rejected", reason: "wrong password" };
        if (typeof found === "number") return { status: "abstained" };
        const own = found.teams.flatMap((team) => groupOf.get(team) ?? []);
        const identity = { subject: `account-${found.number}`, username: found.name, groups: own, backend: id };
        return { status: "authenticated", identity };
      },
      check: async (signal) => void (await ask("/ping", {}, signal)),
      close: async () => key.close(),
    };
  },
});
