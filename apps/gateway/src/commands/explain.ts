import { type Action, type Identity, InvalidOptionsError } from "@registry-gate/auth";
import {
  type AccessRule,
  compilePolicy,
  decidingVerdicts,
  isRepository,
  type Knowledge,
  type Principal,
  type RuleVerdict,
  validateOptions,
} from "@registry-gate/core";
import type { Configuration } from "../config/configuration.ts";
import { type LoadedConfiguration, loadConfiguration } from "../config/load.ts";
import { printableJson } from "../printable.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configHelp, reportFaults } from "./config-file.ts";
import { findUser } from "./find-user.ts";
import { printReplay } from "./replay.ts";

const actions: readonly Action[] = ["pull", "push", "delete", "*"];

export const explain: Command = {
  name: "explain",
  synopsis: "--config FILE [--json] ([--user USER …] ACTION REPOSITORY | --replay AUDIT …)",
  summary: "show which rule of a configuration allows an action, or why none does",
  details: [
    configHelp,
    "  --user USER        the user who asks; without it, an anonymous caller",
    "  --connect          look USER and their groups up in directories too, not only in files",
    "  --group GROUP      a group of USER, in place of looking USER up; may be repeated",
    "  --replay AUDIT     a file of the audit, in place of ACTION and REPOSITORY; may be repeated",
    "  --json             print an object with allowed, and rules: each rule with the reason for its verdict",
    "",
    "ACTION is pull, push, delete or *. The groups of USER are read from group files. The command does not sign in, and",
    "opens no connection without --connect:",
    "",
    "  registry-gate explain --config registry-gate.yaml --user alice push team/app",
    "",
    "With --replay, it prints which requests of an audit the configuration would decide otherwise, by user and rule, with the",
    "groups that the users had then. Rotated files may follow; - is the standard input, and *.gz is unpacked:",
    "",
    "  registry-gate explain --config new.yaml --replay audit.jsonl.1 audit.jsonl",
    "",
    "Exit code: 0 if allowed; 1 if denied, if the configuration is invalid or if a directory is unavailable. With --replay, 0",
    "if every request would be decided as it was; 1 if any would not, or if a file cannot be read.",
  ],
  async run(parameters) {
    const parsed = parse(parameters);
    const { file, json } = parsed;
    try {
      const loaded = await loadConfiguration(file, process.env);
      const { configuration } = loaded;
      requireGoodRules(configuration);
      if ("audits" in parsed) return await printReplay(parsed.audits, compilePolicy(configuration.access), json);
      const { user, groups, connect, action, repository } = parsed;
      const { principal, knowledge, failures } =
        user === undefined || groups !== undefined
          ? { principal: namedPrincipal(user, groups ?? [], configuration), knowledge: {}, failures: [] }
          : await findPrincipal(file, user, loaded, connect);
      for (const failure of failures) process.stderr.write(`${file}: ${failure}\n`);
      if (failures.length > 0) return 1;
      const verdicts = judge(configuration, principal, knowledge, action, repository);
      const allowed = verdicts.some(({ allows }) => allows) && !verdicts.some(({ denies }) => denies);
      const { access = [] } = configuration;
      process.stdout.write(json ? asJson(allowed, verdicts) : asText(allowed, verdicts, access));
      return allowed ? 0 : 1;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      reportFaults(file, error.faults);
      return 1;
    }
  },
};

function requireGoodRules({ upstream, access }: Configuration): void {
  const { url } = upstream;
  const { faults } = validateOptions(access === undefined ? { upstream: { url } } : { upstream: { url }, access });
  if (faults.length > 0) throw new InvalidOptionsError(faults);
}

/** The user as a login would find them. Writes notes to standard error. */
async function findPrincipal(
  file: string,
  user: string,
  loaded: LoadedConfiguration,
  connect: boolean,
): Promise<{ principal: Principal; knowledge: Knowledge; failures: readonly string[] }> {
  const username = user.normalize("NFC");
  const { access = [] } = loaded.configuration;
  // Where no rule names anybody, who it is makes no difference.
  const named = access.some(({ subjects }) => subjects.some((subject) => /^(?:user|group):/.test(subject)));
  if (!named) return { principal: namedPrincipal(username, [], loaded.configuration), knowledge: {}, failures: [] };
  const { identity, incomplete, notes, failures } = await findUser(username, loaded, connect);
  for (const note of notes) process.stderr.write(`${file}: note: ${note}\n`);
  if (identity !== undefined) return { principal: asSignedIn(identity), knowledge: {}, failures };
  const principal = unknownUser(username, [], loaded.configuration);
  return { principal, knowledge: { groupsUnknown: incomplete }, failures };
}

function judge(
  { access }: Configuration,
  principal: Principal,
  knowledge: Knowledge,
  action: Action,
  name: string,
): readonly RuleVerdict[] {
  return compilePolicy(access).explain(principal, { type: "repository", name, action }, knowledge);
}

function asText(allowed: boolean, verdicts: readonly RuleVerdict[], access: readonly AccessRule[]): string {
  const lines = decidingVerdicts(verdicts, access).map(({ rule, reason }) =>
    rule === undefined ? reason : `access[${rule}]: ${reason}`,
  );
  if (lines.length === 0) lines.push("denied by default: no rule allows it");
  return `${allowed ? "allowed" : "denied"}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function asJson(allowed: boolean, verdicts: readonly RuleVerdict[]): string {
  const rules = verdicts.map(({ rule, allows, denies, reason }) => ({ rule: rule ?? null, allows, denies, reason }));
  return `${printableJson({ allowed, rules }, 2)}\n`;
}

interface Question {
  readonly file: string;
  readonly json: boolean;
  readonly user: string | undefined;
  readonly groups: readonly string[] | undefined;
  readonly connect: boolean;
  readonly action: Action;
  readonly repository: string;
}

interface ReplayQuestion {
  readonly file: string;
  readonly json: boolean;
  readonly audits: readonly string[];
}

function parse(parameters: readonly string[]): Question | ReplayQuestion {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: {
      config: { type: "string", short: "c" },
      user: { type: "string" },
      group: { type: "string", multiple: true },
      connect: { type: "boolean" },
      json: { type: "boolean" },
      replay: { type: "string", multiple: true },
    },
  });
  if (values.config === undefined) throw new UsageError("--config FILE is required");
  if (values.replay !== undefined) {
    const { config: file, json = false, replay, user, group, connect } = values;
    if ((user ?? group ?? connect) !== undefined)
      throw new UsageError("--replay takes users and groups from the audit");
    return { file, json, audits: [...replay, ...positionals] };
  }
  const [given, repository, surplus] = positionals;
  if (given === undefined || repository === undefined) throw new UsageError("ACTION and REPOSITORY are required");
  if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
  const action = actions.find((known) => known === given);
  if (action === undefined) throw new UsageError(`${given} is not an action: pull, push, delete or *`);
  if (!isRepository(repository)) throw new UsageError(`${repository} is not the name of a repository`);
  const { config: file, user, group: groups, connect = false, json = false } = values;
  if (user === undefined && groups !== undefined) throw new UsageError("--group needs --user");
  if (user === undefined && connect) throw new UsageError("--connect needs --user");
  if (groups !== undefined && connect) throw new UsageError("--connect and --group exclude each other");
  return { file, user, groups, connect, action, repository, json };
}

/** A principal with only the name and groups of the command line. */
function namedPrincipal(user: string | undefined, groups: readonly string[], configuration: Configuration): Principal {
  return user === undefined ? { kind: "anonymous" } : unknownUser(user, groups, configuration);
}

function unknownUser(user: string, groups: readonly string[], { auth }: Configuration): Principal {
  const username = user.normalize("NFC");
  // A directory alone compares names without regard to case.
  const nameMatching = auth.backends.every(({ type }) => type === "ldap") ? "folded" : "exact";
  const names = groups.map((group) => group.normalize("NFC"));
  return asSignedIn({ subject: username, username, groups: names, nameMatching, backend: "explain" });
}

/** How they sign in makes no difference to rules. */
function asSignedIn(identity: Identity): Principal {
  return { kind: "user", identity, via: "basic" };
}
