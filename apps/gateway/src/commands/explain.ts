import { type Action, InvalidOptionsError } from "@registry-gate/auth";
import {
  type AccessRule,
  compilePolicy,
  isRepository,
  type Principal,
  type RuleVerdict,
  validateOptions,
} from "registry-gate";
import type { Configuration } from "../config/configuration.ts";
import { loadConfiguration } from "../config/load.ts";
import { type Command, UsageError } from "./command.ts";
import { parseCommandLine } from "./command-line.ts";
import { configHelp } from "./config-file.ts";
import { reportFaults } from "./report.ts";

const actions: readonly Action[] = ["pull", "push", "delete", "*"];

export const explain: Command = {
  name: "explain",
  synopsis: "--config FILE [--user USER [--group GROUP …]] [--json] ACTION REPOSITORY",
  summary: "say which rule of a configuration allows something, or why none does",
  details: [
    configHelp,
    "  --user USER        who asks; without it, somebody who is not signed in",
    "  --group GROUP      a group that USER is in; may be repeated",
    "  --json             print an object with allowed, and rules: every rule, and why it allows, denies or does neither",
    "",
    "ACTION is pull, push, delete or *. No user is looked up, and nothing is connected to:",
    "",
    "  registry-gate explain --config registry-gate.yaml --user alice --group pushers push team/app",
    "",
    "Exit code: 0 where it is allowed, 1 where it is denied or the configuration is wrong.",
  ],
  async run(parameters) {
    const { file, principal, action, repository, json } = parse(parameters);
    try {
      const { configuration } = await loadConfiguration(file, process.env);
      const verdicts = judge(configuration, principal, action, repository);
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

function judge({ upstream, access }: Configuration, principal: Principal, action: Action, name: string) {
  const { url } = upstream;
  const { faults } = validateOptions(access === undefined ? { upstream: { url } } : { upstream: { url }, access });
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  return compilePolicy(access).explain(principal, { type: "repository", name, action });
}

function asText(allowed: boolean, verdicts: readonly RuleVerdict[], access: readonly AccessRule[]): string {
  const lines = verdictsOfInterest(verdicts, access).map(({ rule, reason }) =>
    rule === undefined ? reason : `access[${rule}]: ${reason}`,
  );
  if (lines.length === 0) lines.push("there is no rule that allows, and what no rule allows is denied");
  return `${allowed ? "allowed" : "denied"}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** Where something allows or denies it, the rest is of no interest; nor is a rule that would only deny something else. */
function verdictsOfInterest(verdicts: readonly RuleVerdict[], access: readonly AccessRule[]): readonly RuleVerdict[] {
  const deciding = verdicts.filter(({ allows, denies }) => allows || denies);
  if (deciding.length > 0) return deciding;
  return verdicts.filter(({ rule }) => rule === undefined || access[rule]?.effect !== "deny");
}

function asJson(allowed: boolean, verdicts: readonly RuleVerdict[]): string {
  const rules = verdicts.map(({ rule, allows, denies, reason }) => ({ rule: rule ?? null, allows, denies, reason }));
  return `${JSON.stringify({ allowed, rules }, undefined, 2)}\n`;
}

function parse(parameters: readonly string[]): {
  file: string;
  principal: Principal;
  action: Action;
  repository: string;
  json: boolean;
} {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: {
      config: { type: "string", short: "c" },
      user: { type: "string" },
      group: { type: "string", multiple: true },
      json: { type: "boolean" },
    },
  });
  const [given, repository, surplus] = positionals;
  if (values.config === undefined) throw new UsageError("--config FILE is required");
  if (given === undefined || repository === undefined) throw new UsageError("ACTION and REPOSITORY are required");
  if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
  const action = actions.find((known) => known === given);
  if (action === undefined) throw new UsageError(`${given} is not an action: pull, push, delete or *`);
  if (!isRepository(repository)) throw new UsageError(`${repository} is not the name of a repository`);
  if (values.user === undefined && values.group !== undefined) throw new UsageError("--group needs --user");
  const principal = principalOf(values.user, values.group ?? []);
  return { file: values.config, principal, action, repository, json: values.json === true };
}

function principalOf(user: string | undefined, groups: readonly string[]): Principal {
  if (user === undefined) return "anonymous";
  const username = user.normalize("NFC");
  return {
    identity: {
      subject: username,
      username,
      groups: groups.map((group) => group.normalize("NFC")),
      backend: "explain",
    },
  };
}
