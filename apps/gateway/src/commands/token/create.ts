import type { NewAccessToken, UserReference } from "@registry-gate/access-tokens";
import { type AuthBackend, type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { describeToken } from "../../audit/audited-token.ts";
import { lookUp } from "../../diagnosis/look-up-user.ts";
import { parseCommandLine, UsageError } from "../command.ts";
import { configHelp, configOption } from "../config-file.ts";
import { type OpenState, withTokens } from "./open-tokens.ts";

export const createHelp: readonly string[] = [
  "token create --config FILE (--owner USER | --robot NAME [--group GROUP …]) --name NAME --expires DURATION",
  "             [--scope SCOPE …] [--network ADDRESS …]",
  "",
  configHelp,
  "  --owner USER       whose token it is; the token dies with the user",
  "  --robot NAME       makes a token of a robot, which rules call user:robot$NAME",
  "  --group GROUP      a group that the robot is in; may be repeated",
  "  --name NAME        what the token is for; unique among those of its owner",
  "  --expires DURATION how long it is good for, such as 12h or 90d",
  "  --scope SCOPE      what it is good for, such as repository:team/**:pull,push; may be repeated. Without it, whatever",
  "                     its owner is allowed",
  "  --network ADDRESS  from where it may be used: an address or a CIDR block; may be repeated",
];

interface Parameters {
  readonly file: string;
  readonly owner: { readonly user: string } | { readonly robot: string; readonly groups: readonly string[] };
  readonly token: Omit<NewAccessToken, "owner">;
}

/** Prints the new token alone on standard output. */
export async function create(parameters: readonly string[], openState: OpenState): Promise<number> {
  const { file, owner: given, token: wanted } = parse(parameters);
  return withTokens(file, openState, async ({ tokens, backends, record }) => {
    const owner = "user" in given ? await findOwner(given.user, backends) : { name: given.robot, groups: given.groups };
    if (typeof owner === "string") return failed([owner]);
    try {
      const { token, accessToken } = await tokens.create({ ...wanted, owner });
      await record("created", describeToken(accessToken));
      process.stdout.write(`${token}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      return failed(error.faults.map((fault) => optionFault(fault, wanted)));
    }
  });
}

/** The user as a login would find them, or why there is none: one line. */
async function findOwner(username: string, backends: readonly AuthBackend[]): Promise<UserReference | string> {
  for (const backend of backends) {
    // Without a lookup its users can have no tokens.
    if (backend.lookup === undefined) continue;
    const { identity, failure } = await lookUp(backend, username, true);
    // Who it is that a directory may know, nobody is to be taken for.
    if (failure !== undefined) return `${backend.id}: ${failure}`;
    if (identity !== undefined) return { backend: backend.id, subject: identity.subject };
  }
  return `no backend that can look its users up knows ${username}`;
}

function failed(lines: readonly string[]): number {
  for (const line of lines) process.stderr.write(`registry-gate token create: ${line}\n`);
  return 1;
}

/** A fault at the option of the command that it is about. */
function optionFault({ path, message }: Fault, { scopes = [], networks = [] }: Parameters["token"]): string {
  const [key, index] = path;
  if (key === "scopes" && typeof index === "number") return `--scope ${scopes[index] ?? ""}: ${message}`;
  if (key === "networks" && typeof index === "number") return `--network ${networks[index] ?? ""}: ${message}`;
  if (key === "owner" && index === "groups") return `--group: ${message}`;
  if (key === "owner" && index === "name") return `--robot: ${message}`;
  const options: Readonly<Record<string, string>> = { scopes: "scope", networks: "network" };
  return `--${options[String(key)] ?? String(key)}: ${message}`;
}

function parse(parameters: readonly string[]): Parameters {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: {
      ...configOption,
      owner: { type: "string" },
      robot: { type: "string" },
      group: { type: "string", multiple: true },
      name: { type: "string" },
      expires: { type: "string" },
      scope: { type: "string", multiple: true },
      network: { type: "string", multiple: true },
    },
  });
  const { config: file, owner: user, robot, group: groups, name, expires, scope: scopes, network: networks } = values;
  if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
  if (file === undefined) throw new UsageError("--config FILE is required");
  if (name === undefined) throw new UsageError("--name NAME is required");
  if (groups !== undefined && robot === undefined) throw new UsageError("--group needs --robot");
  if ((user === undefined) === (robot === undefined)) throw new UsageError("--owner USER or --robot NAME is required");
  return {
    file,
    owner: robot !== undefined ? { robot, groups: groups ?? [] } : { user: (user ?? "").normalize("NFC") },
    token: {
      name,
      ...(expires !== undefined && { expires }),
      ...(scopes !== undefined && { scopes }),
      ...(networks !== undefined && { networks }),
    },
  };
}
