import { readFile } from "node:fs/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { ldapBackend } from "@registry-gate/auth-ldap";
import { Client, EqualityFilter, PasswordPolicyControl } from "ldapts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { atLeast, type Findings, type Row } from "./findings.ts";
import { interleave, ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";

const base = "dc=example,dc=org";
const parallel = 8;

/** One login, as a user of whom there are several. */
type Login = (worker: number) => Promise<void>;

/** For how many seconds each logs users in before anything is counted: Node compiles what is used often only after a while. */
const leastWarmUp = 4;

/**
 * Compares the backend, without any cache, with a loop of the same operations on as many kept connections: one search for
 * the same attributes, and one bind that asks for the state of the account.
 */
export async function ldapLogins(scale: Scale): Promise<Findings> {
  const slapd = await startSlapd({ logged: false });
  try {
    const contenders = [await ours(slapd), await bareLdapts(slapd)];
    scale.progress("warming up");
    for (const { login } of contenders) await measureLogins(login, Math.max(leastWarmUp, scale.warmUp));
    const [backend = [], bare = []] = await interleave(contenders, scale, ({ login }) =>
      measureLogins(login, scale.seconds),
    );
    for (const { close } of contenders) await close();
    return {
      id: "ldap.logins",
      title: `Logins over LDAPS, none remembered, ${parallel} at once`,
      columns: [
        { id: "rate", label: "logins/s", digits: 0, better: "more" },
        { id: "processor", label: "CPU µs", digits: 0, better: "less" },
      ],
      rows: [
        { name: "auth-ldap", own: true, samples: samplesOf(backend) },
        { name: "bare ldapts", samples: samplesOf(bare) },
      ],
      limits: [atLeast(0.9, "rate ÷ bare ldapts", ratios(ratesOf(backend), ratesOf(bare)))],
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
        attributes: ["uid", "memberOf", "pwdChangedTime"],
        sizeLimit: 2,
      });
      const [entry] = searchEntries;
      if (entry === undefined) throw new Error(`${username} is not there`);
      await clients.user.bind(entry.dn, `${username}pw`, new PasswordPolicyControl());
    },
    async close() {
      await Promise.all(workers.flatMap(({ service, user }) => [service.unbind(), user.unbind()]));
    },
  };
}

const userOf = (worker: number): string => `load${String(worker).padStart(2, "0")}`;

/** What many logins came to. */
interface Logins {
  /** Logins a second. */
  readonly rate: number;
  /** Processor time of this process for a login, in microseconds; that of the directory is not in it. */
  readonly processor: number;
}

/** Logs eight users in, time and again, all at the same time. */
async function measureLogins(login: Login, seconds: number): Promise<Logins> {
  const start = performance.now();
  const before = process.cpuUsage();
  let done = 0;
  const work = async (_: unknown, worker: number): Promise<void> => {
    while (performance.now() - start < seconds * 1000) {
      await login(worker);
      done++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const { user, system } = process.cpuUsage(before);
  return { rate: (done / (performance.now() - start)) * 1000, processor: (user + system) / done };
}

const ratesOf = (logins: readonly Logins[]): number[] => logins.map(({ rate }) => rate);

function samplesOf(logins: readonly Logins[]): Row["samples"] {
  return { rate: ratesOf(logins), processor: logins.map(({ processor }) => processor) };
}
