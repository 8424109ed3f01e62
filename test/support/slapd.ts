import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeCertificate, makeClientCertificate } from "./certificate.ts";
import { freePort } from "./free-port.ts";
import { type PolledServer, tryPolledServer } from "./polled-server.ts";
import { run } from "./run.ts";

/** OpenLDAP's slapd with the entries of `directory/openldap.ldif`, on free ports of the loopback interface. */
export interface Slapd {
  readonly port: number;
  readonly tlsPort: number;
  readonly url: string;
  readonly tlsUrl: string;
  /** PEM files: the authority of its certificate, which bears `localhost` and `127.0.0.1`, and a client's certificate. */
  readonly authority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Applies changes in LDIF as the administrator. */
  modify(ldif: string): Promise<void>;
  /** What it has logged: every connection, request and result. */
  output(): string;
  /**
   * What it logs while something is done, but for the end of connections that were there before: a test may go on while
   * those of the one before it still end. Other tests must not be at it at the same time.
   */
  logOf(act: () => Promise<unknown>): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it as an administrator would. */
  stop(): Promise<void>;
  /** Starts it again on the same ports, with the entries that it had. */
  start(): Promise<void>;
  /** Stops it and removes what it held. */
  close(): Promise<void>;
}

export interface SlapdSettings {
  /** Lines for `slapd.conf`, before the database. */
  readonly global?: readonly string[];
  /** Lines for the database. */
  readonly database?: readonly string[];
  /** Whether it writes down what it is asked, for {@link Slapd.output}. Default `true`. */
  readonly logged?: boolean;
}

const seed = fileURLToPath(new URL("directory/openldap.ldif", import.meta.url));
const administrator = { dn: "cn=admin,dc=example,dc=org", password: "adminpw" };

export async function startSlapd({ global = [], database = [], logged = true }: SlapdSettings = {}): Promise<Slapd> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-slapd-"));
  const files = await makeCertificate(directory);
  const client = await makeClientCertificate(directory, "gate");
  await mkdir(join(directory, "db"));
  await writeFile(join(directory, "slapd.conf"), configuration(directory, global, database));
  const admin = `ldapi://${encodeURIComponent(join(directory, "ldapi"))}`;
  const modify = async (ldif: string): Promise<void> => {
    const file = join(directory, "changes.ldif");
    await writeFile(file, ldif);
    await ldapModify(admin, file);
  };

  /** Leaves a mark in the log, and resolves to where it begins and ends there. */
  let marks = 0;
  const mark = async (): Promise<{ from: number; to: number }> => {
    const name = `(cn=mark-${++marks})`;
    await run("ldapsearch", ["-x", "-LLL", "-H", admin, "-s", "base", "-b", "", name, "1.1"]);
    const timeLimit = performance.now() + 10_000;
    for (;;) {
      const said = server.output();
      const connection = said
        .split("\n")
        .find((line) => line.includes(`filter="${name}"`))
        ?.match(/conn=\d+ /)?.[0];
      const end = connection === undefined ? -1 : said.search(new RegExp(`${connection}fd=\\d+ closed`));
      if (connection !== undefined && end !== -1) {
        const from = said.lastIndexOf("\n", said.indexOf(connection)) + 1;
        return { from, to: said.indexOf("\n", end) + 1 };
      }
      if (performance.now() > timeLimit) throw new Error("slapd does not log");
      await delay(5);
    }
  };

  const launch = ({ port, tlsPort }: Ports): Promise<PolledServer | string> =>
    tryPolledServer({
      command: "slapd",
      parameters: [
        ...["-d", logged ? "stats" : "none", "-f", join(directory, "slapd.conf")],
        ...["-h", `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${tlsPort}/ ${admin}`],
      ],
      directory,
      host: "127.0.0.1",
      port: tlsPort,
    });

  let ports = await freePorts();
  let started = await launch(ports);
  for (let attempt = 1; typeof started === "string" && attempt < 5; attempt++) {
    ports = await freePorts();
    started = await launch(ports);
  }
  if (typeof started === "string") throw new Error(started);
  let server = started;
  try {
    await ldapModify(admin, seed);
  } catch (error) {
    await server.close();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    ...ports,
    url: `ldap://127.0.0.1:${ports.port}`,
    tlsUrl: `ldaps://127.0.0.1:${ports.tlsPort}`,
    authority: files.authority,
    clientCertificate: client.certificate,
    clientKey: client.key,
    modify,
    output: () => server.output(),
    async logOf(act) {
      const { to } = await mark();
      await act();
      const { from } = await mark();
      return withoutEarlierEnds(withoutMarks(server.output().slice(to, from)));
    },
    kill: (signal) => server.kill(signal),
    stop: () => server.close(),
    async start() {
      const again = await launch(ports);
      if (typeof again === "string") throw new Error(again);
      server = again;
    },
    async close() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A mark comes by a connection to the Unix socket, of which slapd may write a line after the mark itself. */
function withoutMarks(log: string): string {
  return log.replace(/^.* ACCEPT from PATH=.*\n/gm, "");
}

function withoutEarlierEnds(log: string): string {
  const accepted = new Set([...log.matchAll(/conn=(\d+) fd=\d+ ACCEPT/g)].map(([, connection]) => connection));
  const isEarlierEnd = (line: string): boolean => {
    const [, connection] = /conn=(\d+) (?:op=\d+ UNBIND|fd=\d+ closed)/.exec(line) ?? [];
    return connection !== undefined && !accepted.has(connection);
  };
  return log
    .split("\n")
    .filter((line) => !isEarlierEnd(line))
    .join("\n");
}

function ldapModify(url: string, file: string): Promise<string> {
  const { dn, password } = administrator;
  return run("ldapmodify", ["-a", "-x", "-H", url, "-D", dn, "-w", password, "-f", file]);
}

interface Ports {
  readonly port: number;
  readonly tlsPort: number;
}

async function freePorts(): Promise<Ports> {
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  return { port, tlsPort };
}

function configuration(directory: string, global: readonly string[], database: readonly string[]): string {
  return [
    ...["core", "cosine", "nis", "inetorgperson"].map((name) => `include /etc/ldap/schema/${name}.schema`),
    "modulepath /usr/lib/ldap",
    ...["back_mdb", "memberof", "refint", "ppolicy"].map((name) => `moduleload ${name}`),
    `pidfile ${directory}/slapd.pid`,
    `argsfile ${directory}/slapd.args`,
    `TLSCACertificateFile ${directory}/authority.crt`,
    `TLSCertificateFile ${directory}/server.crt`,
    `TLSCertificateKeyFile ${directory}/server.key`,
    "TLSVerifyClient try",
    // As lax as it comes: an empty password is answered with success.
    "allow bind_anon_cred bind_anon_dn",
    "sizelimit 500",
    ...global,
    "database mdb",
    'suffix "dc=example,dc=org"',
    `rootdn "${administrator.dn}"`,
    `rootpw ${administrator.password}`,
    `directory ${directory}/db`,
    "maxsize 67108864",
    "dbnosync",
    "index objectClass,uid,member,memberUid,memberOf eq",
    ...database,
    "access to attrs=userPassword by anonymous auth by * none",
    'access to * by dn.exact="cn=gate,dc=example,dc=org" read by self read by * none',
    "overlay memberof",
    "memberof-refint TRUE",
    "overlay refint",
    "refint_attributes member",
    `refint_nothing "${administrator.dn}"`,
    "overlay ppolicy",
    'ppolicy_default "cn=default,ou=policies,dc=example,dc=org"',
    "ppolicy_use_lockout",
    "",
  ].join("\n");
}
