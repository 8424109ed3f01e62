import { setTimeout as delay } from "node:timers/promises";
import { auditFaults } from "./audit-judge.ts";
import { disturbances } from "./disturbances.ts";
import { growthFaults, watchGrowth } from "./growth.ts";
import { type HttpClient, httpClient } from "./http-client.ts";
import { type AcceptedWrite, type Ledger, ledger } from "./ledger.ts";
import { type Account, basic, basicLogin, type Login, tokenLogin } from "./login.ts";
import { pull, work } from "./person.ts";
import { type Site, startSite } from "./site.ts";

/** How a soak went. */
export interface SoakReport {
  readonly minutes: number;
  readonly writes: readonly AcceptedWrite[];
  readonly pulls: number;
  readonly statuses: ReadonlyMap<number, number>;
  /** How often each disturbance happened. */
  readonly disturbances: ReadonlyMap<string, number>;
  /** How many images there were at the end, each of which was pulled then. */
  readonly images: number;
  readonly auditLines: number;
  /** What must never have been. */
  readonly violations: readonly string[];
}

/** Between two disturbances, in milliseconds. */
const quiet = 4000;

/**
 * Has people push and pull without pause, while everything that they need is taken away and given back.
 *
 * @param tell Is told what happens.
 */
export async function soak(minutes: number, tell: (words: string) => void): Promise<SoakReport> {
  const record = ledger();
  const site = await startSite({ onLine: (line) => judgeLine(line, record), onEnd: (how) => record.violate(how) });
  try {
    const clients: HttpClient[] = [];
    const clientOf = (username: string): HttpClient => {
      const client = httpClient(site.front.port, site.ca, (call, reply) => record.reply(username, call, reply));
      clients.push(client);
      return client;
    };
    const over = AbortSignal.timeout(minutes * 60_000);
    const steady = site.replicas[1];
    const growth = watchGrowth(async () => [steady.pid(), ...(await steady.workers())]);
    const [happened] = await Promise.all([
      disturb(site, over, record, tell),
      intrude(site, clientOf("intruder"), record, over),
      ...logins(site, clientOf).map(({ login, client }) => work(login, client, record, over)),
    ]);
    growth.stop();
    tell(`the disturbances are over; pulling ${record.images.size} images`);
    await pullAll(site, clientOf, record);
    for (const client of clients) client.close();
    for (const course of growth.courses()) for (const fault of growthFaults(course)) record.violate(fault);
    await Promise.all(site.replicas.map((replica) => replica.close()));
    const audit = await auditFaults(
      site.replicas.map(({ directory }) => directory),
      record.writes,
    );
    for (const fault of audit.faults) record.violate(fault);
    return {
      minutes,
      writes: record.writes,
      pulls: record.pulls,
      statuses: record.statuses,
      disturbances: happened,
      images: record.images.size,
      auditLines: audit.lines,
      violations: record.violations,
    };
  } finally {
    await site.close();
  }
}

/** People of the directory use tokens, those of the password file their passwords. */
function logins(
  site: Site,
  clientOf: (username: string) => HttpClient,
): readonly { login: Login; client: HttpClient }[] {
  const tokens = site.directoryAccounts.map((account) => {
    const client = clientOf(account.username);
    return { login: tokenLogin(account, client), client };
  });
  const passwords = site.fileAccounts.map((account) => ({
    login: basicLogin(account),
    client: clientOf(account.username),
  }));
  return [...tokens, ...passwords];
}

async function disturb(
  site: Site,
  over: AbortSignal,
  record: Ledger,
  tell: (words: string) => void,
): Promise<ReadonlyMap<string, number>> {
  const happened = new Map<string, number>();
  for (let turn = 0; ; turn++) {
    await delay(quiet, undefined, { signal: over }).catch(() => {});
    const next = disturbances[turn % disturbances.length];
    if (over.aborted || next === undefined) return happened;
    tell(next.name);
    try {
      await next.act(site, turn);
      happened.set(next.name, (happened.get(next.name) ?? 0) + 1);
    } catch (error) {
      record.violate(`${next.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Between two attempts of the intruder: below what the throttle stops the address for. */
const intrusionPause = 2000;

/** Somebody with wrong passwords, and with none. */
async function intrude(site: Site, client: HttpClient, record: Ledger, over: AbortSignal): Promise<void> {
  const [victim] = [...site.directoryAccounts];
  const attempts: readonly (Account | undefined)[] = [
    undefined,
    { username: "nobody-at-all", password: "guess" },
    { username: "file00", password: "guess" },
  ];
  for (let turn = 0; !over.aborted; turn++) {
    const account = attempts[turn % attempts.length];
    const target = `/v2/${victim?.username}/app/tags/list`;
    try {
      const headers = account === undefined ? {} : { Authorization: basic(account) };
      const { status } = await client.once({ method: "GET", target, headers });
      if (![401, 429, 503].includes(status)) record.violate(`${account?.username ?? "nobody"} got ${status}`);
    } catch {
      // A connection that was cut.
    }
    await delay(intrusionPause);
  }
}

/** Every push that was accepted and not deleted is there, whole. */
async function pullAll(site: Site, clientOf: (username: string) => HttpClient, record: Ledger): Promise<void> {
  for (const account of [...site.directoryAccounts, ...site.fileAccounts]) {
    const client = clientOf(account.username);
    const headers = { Authorization: basic(account) };
    const send = (call: Parameters<HttpClient["send"]>[0]) =>
      client.send({ ...call, headers: { ...call.headers, ...headers } });
    for (const image of record.images.values()) {
      if (image.username !== account.username) continue;
      try {
        await pull(image, send, record, () => true);
      } catch (error) {
        record.violate(`${account.username}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** What a log of a gate that is well never has. */
function judgeLine(line: string, record: Ledger): void {
  if (line.includes('"uncaught error"') || line.includes("ObserverWarning")) record.violate(line);
  if (!line.startsWith("{") || !line.endsWith("}")) record.violate(`a line of the log is torn: ${line.slice(0, 200)}`);
}
