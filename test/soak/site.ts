import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addKey } from "@registry-gate/token";
import { openldap } from "../ldap/openldap.ts";
import { makeCertificate, renewCertificate } from "../support/certificate.ts";
import { closingStack } from "../support/closing-stack.ts";
import { freePort } from "../support/free-port.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type Front, startFront } from "./front.ts";
import type { Account } from "./login.ts";
import { type RestartableRegistry, startRestartableRegistry } from "./registry.ts";
import { configurationFile, type Replica, type ReplicaEvents, replicaDirectory, startReplica } from "./replica.ts";

/** Everything that a company runs: a front, two replicas with two workers each, and what these depend on. */
export interface Site {
  readonly front: Front;
  /** The first is disturbed as a whole; the second keeps its processes to the end, so that their growth shows. */
  readonly replicas: readonly [Replica, Replica];
  readonly registry: RestartableRegistry;
  readonly slapd: Slapd;
  readonly redis: Redis;
  /** The authority of every certificate. */
  readonly ca: Buffer;
  readonly directoryAccounts: readonly Account[];
  readonly fileAccounts: readonly Account[];
  /** Gives every replica a configuration, by its number. */
  configure(variant: number): Promise<void>;
  /** Gives every replica a file that is no configuration. */
  misconfigure(): Promise<void>;
  /** Gives every replica another certificate. */
  changeCertificate(): Promise<void>;
  /** Gives every replica a password file with the same users, another hash each, and another user besides. */
  changePasswordFile(): Promise<void>;
  close(): Promise<void>;
}

const workers = 2;
const directoryUsers = ["load00", "load01", "load02", "load03", "load04"];
const fileUsers = ["file00", "file01", "file02"];

export async function startSite(events: ReplicaEvents): Promise<Site> {
  const stack = closingStack();
  const parent = await mkdtemp(join(tmpdir(), "soak-"));
  await stack.keep(Promise.resolve({ close: () => rm(parent, { recursive: true, force: true }) }));
  try {
    const files = await makeCertificate(parent);
    const accounts = (names: readonly string[]): readonly Account[] =>
      names.map((username) => ({ username, password: `${username}pw` }));
    const [registry, slapd, redis] = await Promise.all([
      stack.keep(startRestartableRegistry(parent)),
      stack.keep(startSlapd({ logged: false })),
      stack.keep(startRedis()),
    ]);
    const keys = join(parent, "keys.json");
    await addKey(keys);
    const { caCert, ...ldap } = openldap(slapd);

    const configuration = (port: number, variant: number): object => ({
      listen: { address: `127.0.0.1:${port}`, tls: { certificate: "server.crt", key: "server.key" } },
      workers,
      upstream: { url: registry.url },
      auth: {
        backends: [
          { type: "htpasswd", file: "htpasswd" },
          { type: "ldap", ...ldap, caCert },
        ],
        token: { service: "registry.example.com", ttl: "20s", refreshTtl: "1h" },
        challenge: "bearer",
      },
      keys: { file: keys },
      state: { redis: redis.url },
      audit: { output: { file: "audit.jsonl", maxSize: "256KiB", keep: 1000 }, events: ["push", "delete", "denied"] },
      access: [
        { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["pull", "push", "delete"] },
        { subjects: ["authenticated"], repositories: [`variant-${variant}/**`], actions: ["pull"] },
      ],
    });

    let generation = 0;
    const newPasswordFile = async (): Promise<string> => {
      const passwords = Object.fromEntries(accounts(fileUsers).map(({ username, password }) => [username, password]));
      return passwordFile({ ...passwords, [`other${generation++}`]: "otherpw" });
    };
    const start = async (name: string): Promise<Replica> => {
      const directory = await replicaDirectory(parent, name);
      const port = await freePort();
      await writeFile(join(directory, configurationFile), JSON.stringify(configuration(port, 0)));
      await writeFile(join(directory, "htpasswd"), await newPasswordFile());
      await writeFile(join(directory, "server.crt"), await readFile(files.certificate));
      await writeFile(join(directory, "server.key"), await readFile(files.key), { mode: 0o600 });
      return stack.keep(startReplica(name, directory, port, events));
    };
    const replicas = [await start("first"), await start("second")] as const;
    const front = await stack.keep(startFront(() => replicas.map(({ port }) => port)));
    const everywhere = async (act: (replica: Replica) => Promise<void>): Promise<void> => {
      for (const replica of replicas) await act(replica);
    };
    return {
      front,
      replicas,
      registry,
      slapd,
      redis,
      ca: await readFile(files.authority),
      directoryAccounts: accounts(directoryUsers),
      fileAccounts: accounts(fileUsers),
      configure: (variant) =>
        everywhere(({ port, put }) => put(configurationFile, JSON.stringify(configuration(port, variant)))),
      misconfigure: () => everywhere(({ put }) => put(configurationFile, '{ "listen": { "adress": 5 } }')),
      async changeCertificate() {
        const next = await renewCertificate(parent);
        await everywhere(async ({ put }) => {
          await put("server.key", await readFile(next.key));
          await put("server.crt", await readFile(next.certificate));
        });
      },
      changePasswordFile: () => everywhere(async ({ put }) => put("htpasswd", await newPasswordFile())),
      close: () => stack.close(),
    };
  } catch (error) {
    await stack.close();
    throw error;
  }
}
