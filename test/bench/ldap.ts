import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { AuthBackend } from "@registry-gate/auth";
import { ldapBackend } from "@registry-gate/auth-ldap";
import { Client, EqualityFilter } from "ldapts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

/** Logins a second against OpenLDAP over LDAPS: ours, and what a loop with bare ldapts reaches. */
export interface LdapFigures {
  readonly backend: number;
  readonly bare: number;
  /** Ours to the bare loop's: the median of the rounds, in each of which both have run. */
  readonly ratio: number;
}

const base = "dc=example,dc=org";
const parallel = 8;
const rounds = 5;
const roundMilliseconds = 1000;

/** One login, as a user of whom there are several. */
type Login = (worker: number) => Promise<void>;

/** Compares the backend, without any cache, with a loop that does the same search and bind on kept connections. */
export async function compareLdap(): Promise<LdapFigures> {
  const slapd = await startSlapd({ logged: false });
  try {
    const backend = await ours(slapd);
    const bare = await bareLdapts(slapd);
    // Both are warm before anything is counted.
    await measure(backend.login);
    await measure(bare.login);
    const figures: { backend: number; bare: number; ratio: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      // Whoever comes second must not always be the same.
      const order = round % 2 === 0 ? [backend, bare] : [bare, backend];
      const rates = new Map<object, number>();
      for (const contender of order) rates.set(contender, await measure(contender.login));
      const [one = 0, other = 0] = [rates.get(backend), rates.get(bare)];
      figures.push({ backend: one, bare: other, ratio: one / other });
    }
    await backend.close();
    await bare.close();
    return {
      backend: median(figures.map((figure) => figure.backend)),
      bare: median(figures.map((figure) => figure.bare)),
      ratio: median(figures.map((figure) => figure.ratio)),
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
        peer: { address: "127.0.0.1", local: false },
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
async function measure(login: Login): Promise<number> {
  const start = performance.now();
  let done = 0;
  const work = async (_: unknown, worker: number): Promise<void> => {
    while (performance.now() - start < roundMilliseconds) {
      await login(worker);
      done++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return (done / (performance.now() - start)) * 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { backend, bare, ratio } = await compareLdap();
  process.stdout.write(
    `logins a second, ${parallel} at once, over LDAPS: backend ${Math.round(backend)}, bare ldapts ${Math.round(bare)}, ` +
      `ratio ${ratio.toFixed(2)}\n`,
  );
}
