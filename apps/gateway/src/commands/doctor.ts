import { InvalidOptionsError, parseDuration } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import { isRepository } from "@registry-gate/core";
import { FileReadError } from "@registry-gate/watched-file";
import { parseBytes } from "../config/byte-size.ts";
import { neighboursOf, neighboursOfUpstream } from "../doctor/around.ts";
import { conceal } from "../doctor/conceal.ts";
import { examineParts, isAccepted, ownAddress, trustedCertificates, trustOwn } from "../doctor/configured.ts";
import type { ExaminedStep } from "../doctor/examination.ts";
import { type ExamineOptions, examine } from "../doctor/examine.ts";
import type { Login } from "../doctor/login.ts";
import { candidateRepositories } from "../doctor/repositories.ts";
import type { Gate } from "../gate/gate.ts";
import { loadGate } from "../gate/load-gate.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configHelp, reportFaults } from "./config-file.ts";
import { isHealthy, type Report, reportJson, stepPrinter, summaryText } from "./doctor-text.ts";
import { askHidden, readLine } from "./password-input.ts";

export const doctor: Command = {
  name: "doctor",
  synopsis: "--config FILE [--url URL] [--user USER] | --url URL --user USER",
  summary: "push, pull and delete a tiny image through a running gate, and say what is wrong and how to mend it",
  details: [
    `${configHelp}; tries backends and registry too`,
    "  --url URL          the gate as clients name it, such as https://registry.example.com; by default listen.address",
    "  --user USER        sign in as USER with a password from a prompt, or from the first line of standard input;",
    "                     without one, only what needs no login is tried",
    "  --repository NAME  where to push; by default one named registry-gate-doctor that the user may push to",
    "  --size BYTES       the largest body that is tried, such as 64MiB; 4MiB by default",
    "  --slow DURATION    also try an upload that takes so long, such as 70s",
    "  --ca FILE          a PEM file with further authorities to trust; may be repeated",
    "  --registry URL     an address where the registry must not respond without a login; may be repeated",
    "  --json             print an object with outcome, steps and findings",
    "",
    "Leaves no tag: what was pushed is deleted, also when the command is interrupted. Where the user or the registry cannot",
    "delete, the image is pushed by digest alone, without a tag. An existing tag is never touched.",
    "",
    "  registry-gate doctor --url https://registry.example.com --user alice < password.txt",
    "",
    "Exit code: 0; 1 if a step failed. Warnings do not count.",
  ],
  async run(parameters) {
    const settings = parse(parameters);
    const { file } = settings;
    let gate: Gate | undefined;
    try {
      if (file !== undefined) {
        ({ gate } = await loadGate(file, () => ({ log: silentLog, onRequest: () => {} })));
      }
      return await examineGate(settings, gate);
    } catch (error) {
      if (error instanceof FileReadError) throw new Error(error.message, { cause: error });
      if (!(error instanceof InvalidOptionsError) || file === undefined) throw error;
      reportFaults(file, error.faults);
      return 1;
    } finally {
      await gate?.retire();
    }
  },
};

interface Settings {
  readonly file: string | undefined;
  readonly url: URL | undefined;
  readonly user: string | undefined;
  readonly repository: string | undefined;
  readonly size: number;
  readonly slow: number | undefined;
  readonly authorities: readonly string[];
  readonly registries: readonly URL[];
  readonly json: boolean;
}

async function examineGate(settings: Settings, gate: Gate | undefined): Promise<number> {
  const { user, json } = settings;
  const { url, connection } = await reach(settings, gate);
  const login = user === undefined ? undefined : await askFor(user);
  const steps: ExaminedStep[] = [];
  const print = json ? () => {} : stepPrinter((text) => process.stdout.write(text));
  const take = (examined: ExaminedStep): void => {
    const step = conceal(examined, login);
    steps.push(step);
    print(step);
  };
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // Once: a second one ends the process.
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    for await (const step of gate === undefined ? [] : examineParts(gate, login)) {
      take(step);
      if (interrupted.signal.aborted) break;
    }
    const accepted = login !== undefined && steps.some(isAccepted);
    const options = { ...examineOptions(settings, gate, url, login), connection, accepted };
    for await (const step of examine({ ...options, url, signal: interrupted.signal })) take(step);
  } finally {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
  }
  const report: Report = { url: url.origin, user, steps };
  process.stdout.write(json ? reportJson(report) : summaryText(report));
  return isHealthy(report) && !interrupted.signal.aborted ? 0 : 1;
}

/** Where the gate is, and whom to trust there. */
async function reach(
  { url, authorities }: Settings,
  gate: Gate | undefined,
): Promise<Pick<ExamineOptions, "url" | "connection">> {
  const ca = await trustedCertificates(authorities);
  if (gate === undefined) {
    if (url === undefined) throw new UsageError("--config FILE or --url URL is required");
    return { url, connection: { ca } };
  }
  const { address, tls } = gate.configuration.listen;
  const own = ownAddress(address, tls !== undefined);
  const trusting = tls === undefined ? { ca } : await trustOwn(tls.certificate, ca);
  if (url !== undefined) {
    // The name has to be right: clients come by it.
    const { checkServerIdentity: _, ...rest } = trusting;
    return { url, connection: rest };
  }
  if (own === undefined) throw new UsageError("listen.address does not say where the gate is: add --url URL");
  const { socketPath } = own;
  return { url: own.url, connection: { ...trusting, ...(socketPath !== undefined && { socketPath }) } };
}

function examineOptions(
  { repository, size, slow, registries }: Settings,
  gate: Gate | undefined,
  url: URL,
  login: Login | undefined,
): Omit<ExamineOptions, "url" | "connection" | "accepted" | "signal"> {
  const access = gate?.configuration.access;
  const named = registries.map((registry) => ({ url: registry, certain: false, exposed: true }));
  const usual = gate === undefined ? neighboursOf(url) : neighboursOfUpstream(new URL(gate.configuration.upstream.url));
  return {
    ...{ login, size, slow },
    repositories: repository === undefined ? candidateRepositories(login?.username ?? "", access) : [repository],
    neighbours: [...named, ...usual],
    allowsAnonymous: (access ?? []).some(({ effect, subjects }) => effect !== "deny" && subjects.includes("anonymous")),
  };
}

/** In Normalization Form C, as in a request. */
async function askFor(user: string): Promise<Login> {
  const username = user.normalize("NFC");
  const [response = ""] = process.stdin.isTTY
    ? await askHidden(process.stdin, [`Password for ${username}: `])
    : [await readLine(process.stdin)];
  const password = response.normalize("NFC");
  if (password === "") throw new InvalidOptionsError([{ path: ["password"], message: "must not be empty" }]);
  return { username, password };
}

function parse(parameters: readonly string[]): Settings {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: {
      config: { type: "string", short: "c" },
      url: { type: "string" },
      user: { type: "string" },
      repository: { type: "string" },
      size: { type: "string" },
      slow: { type: "string" },
      ca: { type: "string", multiple: true },
      registry: { type: "string", multiple: true },
      json: { type: "boolean" },
    },
  });
  const { config: file, url, user, repository, size = "4MiB", slow, ca = [], registry = [], json = false } = values;
  if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
  if (file === undefined && url === undefined) throw new UsageError("--config FILE or --url URL is required");
  if (file === undefined && user === undefined) throw new UsageError("--url needs --user");
  if (repository !== undefined && !isRepository(repository)) {
    throw new UsageError(`${repository} is not the name of a repository`);
  }
  const bytes = parseBytes(size);
  if (bytes === undefined) throw new UsageError(`--size ${size} is not a number of bytes such as 64MiB`);
  const duration = slow === undefined ? undefined : parseDuration(slow);
  if (slow !== undefined && (duration === undefined || duration > longestUpload)) {
    throw new UsageError(`--slow ${slow} is not a duration of at most 1h, such as 70s`);
  }
  return {
    ...{ file, user, repository, size: bytes, slow: duration, authorities: ca, json },
    url: url === undefined ? undefined : parseUrl("--url", url),
    registries: registry.map((one) => parseUrl("--registry", one)),
  };
}

/** In milliseconds. */
const longestUpload = 3_600_000;

/** A URL, or a host as docker names it, which is one of HTTPS. */
function parseUrl(option: string, text: string): URL {
  const full = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  if (!URL.canParse(full)) throw new UsageError(`${option} ${text} is not a URL such as https://registry.example.com`);
  const url = new URL(full);
  if (url.username === "" && url.password === "") return url;
  throw new UsageError(`${option} must hold no login: the password comes from a prompt or standard input`);
}
