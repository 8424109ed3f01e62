import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { residentMemory } from "../../bench/process-usage.ts";
import type { CertificateFiles } from "../../support/certificate.ts";
import { startGate } from "../../support/gate.ts";
import { passwordFile } from "../../support/password-file.ts";
import { passwordOf } from "../client/credentials.ts";
import { rules, users } from "../oracle.ts";

/** `registry-gate serve` in a process of its own, as it is attacked. */
export interface FuzzedGate {
  readonly url: string;
  readonly pid: number;
  /** Everything that shows a fault of its own, one text each: an error in its log, its standard error, its end. */
  faults(): readonly string[];
  /** How many descriptors it has open. */
  descriptors(): Promise<number>;
  /** The memory that it has resident, in MiB, after it has freed what it could. */
  memory(): Promise<number>;
  /** The end of its log, for a report. */
  lastLines(): readonly string[];
  close(): Promise<void>;
}

/** Users who log in once each: `fresh000` and so on, with one password. */
const freshUsers = 1000;
export const freshPassword = "fresh-password";
export function freshUser(number: number): string {
  return `fresh${`${number % freshUsers}`.padStart(3, "0")}`;
}

/** How long it waits for anything, in milliseconds: short, so that what hangs is seen. */
export const gateTimeout = 5000;
const mostLines = 40;

export async function startFuzzedGate(registry: string, certificate?: CertificateFiles): Promise<FuzzedGate> {
  const errors: string[] = [];
  const last: string[] = [];
  const gate = await startGate({
    configuration: {
      listen: {
        address: "127.0.0.1:0",
        headersTimeout: `${gateTimeout}ms`,
        ...(certificate !== undefined && { tls: { certificate: certificate.certificate, key: certificate.key } }),
      },
      upstream: {
        url: registry,
        readTimeout: `${gateTimeout}ms`,
        connectTimeout: `${gateTimeout}ms`,
        transport: process.env.FUZZ_TRANSPORT ?? "auto",
        ...(certificate !== undefined && registry.startsWith("https:") && { ca: certificate.authority }),
      },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }], cache: { ttl: "2s" } },
      access: rules,
    },
    files: { htpasswd: await passwords() },
    nodeOptions: ["--expose-gc", "--import", new URL("collect-on-signal.ts", import.meta.url).href],
    onLine(text) {
      last.push(text);
      if (last.length > mostLines) last.shift();
      if (text.includes('"level":"error"') || text.includes('"level":"fatal"')) errors.push(text);
    },
  });
  return {
    url: gate.url,
    pid: gate.pid,
    faults() {
      const ended = gate.exit();
      const beside = gate.besideLog();
      return [
        ...errors,
        ...(beside === "" ? [] : [beside]),
        ...(ended === undefined ? [] : [`the process ended with ${ended}`]),
      ];
    },
    // One that has ended has none.
    descriptors: async () => (await readdir(`/proc/${gate.pid}/fd`).catch(() => [])).length,
    async memory() {
      gate.kill("SIGUSR1");
      await delay(300);
      return residentMemory(gate.pid);
    },
    lastLines: () => last,
    close: () => gate.close(),
  };
}

/** The hash of one password does for all fresh users, and their logins are what they cost all the same. */
async function passwords(): Promise<string> {
  const known = await passwordFile(Object.fromEntries(users.map((user) => [user, passwordOf(user)])));
  const hash = (await passwordFile({ fresh: freshPassword })).trim().replace(/^fresh:/, "");
  return known + Array.from({ length: freshUsers }, (_, number) => `${freshUser(number)}:${hash}\n`).join("");
}

/** The certificate and key that a registry speaks TLS with. */
export async function tlsOf(certificate: CertificateFiles): Promise<{ cert: string; key: string }> {
  const [cert, key] = await Promise.all([readFile(certificate.certificate, "utf8"), readFile(certificate.key, "utf8")]);
  return { cert, key };
}
