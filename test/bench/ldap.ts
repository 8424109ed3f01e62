import { readFile } from "node:fs/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { ldapBackend } from "@registry-gate/auth-ldap";
import { Client, EqualityFilter } from "ldapts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { atLeast, type Findings } from "./findings.ts";
import { interleave, ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";

const base = "dc=example,dc=org";
const parallel = 8;

/** One login, as a user of whom there are several. */
type Login = (worker: number) => Promise<void>;

/** Compares the backend, without any cache, with a loop that does the same search and bind on kept connections. */
export async function ldapLogins(scale: Scale): Promise<Findings> {
  const slapd = await startSlapd({ logged: false });
  try {
    const contenders = [await ours(slapd), await bareLdapts(slapd)];
    const measure = ({ login }: Contender): Promise<number> => measureRate(login, scale.seconds / 2);
    // Both are warm before anything is counted.
    await interleave(contenders, { ...scale, rounds: 1 }, measure);
    const [backend = [], bare = []] = await interleave(contenders, scale, measure);
    for (const { close } of contenders) await close();
    return {
      id: "ldap.logins",
      title: `Logins over LDAPS, none remembered, ${parallel} at once`,
      columns: [{ id: "rate", label: "logins/s", digits: 0, better: "more" }],
      rows: [
        { name: "auth-ldap", own: true, samples: { rate: backend } },
        { name: "bare ldapts", samples: { rate: bare } },
      ],
      limits: [atLeast(0.9, "rate ÷ bare ldapts", ratios(backend, bare))],
    };
  } finally {
    await slapd.close();
  }
}

interface Contender {
  readonly login: Login;
  close(): Promise<void>;
}

async function ours(slapd: Slapd): Promise<Contender> {
  const backend: AuthBackend = await ldapBackend({
    urls: [slapd.tlsUrl],
    caCert: slapd.authority,
    bindDN: `cn=gate,${base}`,
    bindPassword: "gatepw",
    searchBase: `ou=people,${base}`,
    pool: { size: parallel },
  });
  const { signal } = new AbortController();
  return {
    async login(worker) {
      const username = userOf(worker);
      const result = await backend.authenticate({
        credentials: { scheme: "basic", username, password: `${username}pw` },
        peer: { address: "127.0.0.1", unixSocket: false },
        client: "127.0.0.1",
        header: () => [],
        signal,
      });
      if (result.status !== "authenticated") throw new Error(`${username} is ${result.status}`);
    },
    close: async () => backend.close?.(),
  };
}

async function bareLdapts(slapd: Slapd): Promise<Contender> {
  const ca = await readFile(slapd.authority);
  const connect = (): Client => new Client({ url: slapd.tlsUrl, tlsOptions: { ca } });
  const workers = await Promise.all(
    Array.from({ length: parallel }, async () => {
      const service = connect();
      await service.bind(`cn=gate,${base}`, "gatepw");
      return { service, user: connect() };
    }),
  );
  return {
    async login(worker) {
      const clients = workers[worker];
      if (clients === undefined) throw new RangeError("there are only so many workers");
      const username = userOf(worker);
      const { searchEntries } = await clients.service.search(`ou=people,${base}`, {
        filter: new EqualityFilter({ attribute: "uid", value: username }),
        attributes: ["uid", "memberOf"],
      });
      const [entry] = searchEntries;
      if (entry === undefined) throw new Error(`${username} is not there`);
      await clients.user.bind(entry.dn, `${username}pw`);
    },
    async close() {
      await Promise.all(workers.flatMap(({ service, user }) => [service.unbind(), user.unbind()]));
    },
  };
}

const userOf = (worker: number): string => `load${String(worker).padStart(2, "0")}`;

/** Logins a second with eight at the same time. */
async function measureRate(login: Login, seconds: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  const work = async (_: unknown, worker: number): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      await login(worker);
      done++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return (done / (performance.now() - start)) * 1000;
}
