import { resolve } from "node:path";
import { ImportError, type Imported, type ImportedRule, type Note, type Source } from "../imported.ts";
import { globsOf, nobodyByAnyMethod, rulesOf } from "../path-rules.ts";
import { type Chain, inBlocks, inherited, parameterOf, reasonNotCarried } from "./directives.ts";
import { listenOf } from "./listen.ts";
import { type Location, type Locations, locationsOf } from "./locations.ts";
import { accessAt, type LocationAccess } from "./method-access.ts";
import type { Directive } from "./parse.ts";
import { readNginx } from "./read-nginx.ts";
import { upstreamOf } from "./upstream.ts";

/** One virtual server, with what of the registry it serves. */
interface Server {
  readonly directive: Directive | undefined;
  readonly chain: Chain;
  readonly locations: Locations;
}

/**
 * Carries a configuration of nginx over: of the server that has a location for `/v2/`, who may use which method of which
 * paths. What cannot be told takes its rights away.
 *
 * @throws {ImportError} where there is no registry in it, or where it cannot be parsed.
 */
export function importNginx(source: Source): Imported {
  const notes: Note[] = [];
  const root = readNginx(source, notes);
  const note = ({ file, line, name, parameters }: Directive, reason: string): void => {
    const [first = ""] = parameters;
    notes.push({ file, line, text: `${name} ${first}`.trim(), reason });
  };
  const [server, ...others] = serversOf(root).filter(({ locations }) => servesRegistry(locations));
  const base = server?.locations.base;
  if (server === undefined || base === undefined) {
    throw new ImportError(`${source.name}: no server has a location for /v2/ with proxy_pass`);
  }
  for (const { directive } of others) if (directive) note(directive, "another server for /v2/: import it by itself");

  const maps = [
    ...inBlocks(root, "map"),
    ...inBlocks(root, "http").flatMap(({ block = [] }) => inBlocks(block, "map")),
  ];
  const at = (location: Location): LocationAccess => accessAt(location.chain, maps);
  const baseAccess = at(base);
  const passwordFile =
    baseAccess.passwordFiles[0] ?? server.locations.deeper.flatMap((part) => at(part).passwordFiles)[0];
  const access = accessRules(server.locations, base, at, passwordFile?.parameters[0], note);
  const backend = backendOf(server.locations, passwordFile, access, source, note);
  reportRest(root, server, note);
  const realm = parameterOf(base.chain, "auth_basic");
  return {
    configuration: {
      listen: listenOf(server.chain, source.directory, note),
      upstream: upstreamOf(root, base.chain, source.directory, note),
      auth: { ...(realm !== undefined && realm !== "off" && !realm.includes("$") && { realm }), backends: [backend] },
      access,
    },
    notes,
    comments: [],
  };
}

/** The rules; none at all where something that is not understood may refuse what they would allow. */
function accessRules(
  { deeper, unclear }: Locations,
  base: Location,
  at: (location: Location) => LocationAccess,
  passwordFile: string | undefined,
  note: (directive: Directive, reason: string) => void,
): readonly ImportedRule[] {
  let doubtful = false;
  const catalog = (directive: Directive): boolean => directive.parameters.join("").endsWith("/v2/_catalog");
  for (const directive of unclear) {
    if (catalog(directive))
      note(directive, "the gate lists to everybody the repositories that they may pull, and no others");
    else if (directive.parameters.join("").replace(/^=/, "") === "/v2/")
      note(directive, "the gate responds to /v2/ by itself");
    else {
      note(directive, "which repositories it is for cannot be told: the rules were left out");
      doubtful = true;
    }
  }
  const paths = [base, ...deeper].flatMap((location) => {
    const { access, passwordFiles, doubts, narrowed } = at(location);
    for (const directive of doubts) note(directive, "cannot be carried over: what it guards is denied to everybody");
    for (const directive of narrowed) note(directive, "cannot be carried over: everybody has to sign in");
    if (location.prefix.startsWith("_catalog")) {
      note(location.directive, "the gate lists to everybody the repositories that they may pull, and no others");
      return [];
    }
    if (globsOf(location.prefix, false) === undefined) {
      note(location.directive, "which repositories it is for cannot be told: the rules were left out");
      doubtful = true;
      return [];
    }
    const closed = { prefix: location.prefix, access: nobodyByAnyMethod };
    const target = passOf(location);
    if (target === undefined) return [closed];
    if (target !== passOf(base)) {
      note(location.directive, "another registry: the gate has one, so that what is there is denied to everybody");
      return [closed];
    }
    const foreign = passwordFiles.find(({ parameters }) => parameters[0] !== passwordFile);
    if (foreign === undefined) return [{ prefix: location.prefix, access }];
    note(
      foreign,
      "another password file: here every user is one everywhere, so that what it guards is denied to everybody",
    );
    return [closed];
  });
  return doubtful ? [] : rulesOf(paths, false);
}

/** It is not inherited: a location without one serves something else. */
function passOf({ chain }: Location): string | undefined {
  return parameterOf([chain.at(-1) ?? []], "proxy_pass")?.replace(/\/(?:v2\/?.*)?$/, "");
}

function backendOf(
  { base, deeper }: Locations,
  passwordFile: Directive | undefined,
  access: readonly ImportedRule[],
  { directory }: Source,
  note: (directive: Directive, reason: string) => void,
): object {
  const file = passwordFile?.parameters[0];
  if (file !== undefined) return { type: "htpasswd", file: resolve(directory, file) };
  const external = [base, ...deeper].flatMap((part) =>
    part === undefined ? [] : inherited(part.chain, "auth_request"),
  );
  const [asked] = external;
  if (asked === undefined || access.length > 0) {
    throw new ImportError("nobody has to sign in there: the gate needs a way to sign in, such as auth_basic_user_file");
  }
  note(
    asked,
    "a sign-on in front: see the backend sso-header, adjust trustedProxies and userHeader, and write access rules",
  );
  return { type: "sso-header", trustedProxies: ["127.0.0.1"], userHeader: "X-Forwarded-User" };
}

function serversOf(root: readonly Directive[]): readonly Server[] {
  const made = (directive: Directive | undefined, chain: Chain): Server => ({
    directive,
    chain,
    locations: locationsOf(chain),
  });
  const inside = (chain: Chain): readonly Server[] =>
    inBlocks(chain.at(-1) ?? [], "server").map((directive) => made(directive, [...chain, directive.block ?? []]));
  const servers = [...inside([root]), ...inBlocks(root, "http").flatMap(({ block = [] }) => inside([root, block]))];
  // A snippet that another server includes.
  return servers.length > 0 ? servers : [made(undefined, [root])];
}

function servesRegistry({ base }: Locations): boolean {
  return base !== undefined && passOf(base) !== undefined;
}

/** Notes each directive that nothing was made of. */
function reportRest(
  root: readonly Directive[],
  server: Server,
  note: (directive: Directive, reason: string) => void,
): void {
  const { base, deeper, unclear, outside } = server.locations;
  const served = new Set([base, ...deeper].map((location) => location?.directive));
  const reported = new Set<Directive>(unclear);
  const visit = (directives: readonly Directive[]): void => {
    for (const directive of directives) {
      const { name, block } = directive;
      if (name === "server" && block !== undefined && directive !== server.directive) {
        if (!reported.has(directive)) note(directive, "another server: import it by itself where it is for a registry");
      } else if (name === "location" && outside.includes(directive) && !served.has(directive)) {
        note(directive, "outside of the registry's API: only /v2/ is carried over");
      } else if (name === "location" && !served.has(directive)) continue;
      else if (name === "upstream" || name === "map" || name === "events" || name === "types") continue;
      else if (name === "if") {
        if (!/^\(?\s*\$(?:http_user_agent.*docker|request_method)/.test(directive.parameters.join(" "))) {
          note(directive, "has no counterpart");
        }
      } else if (name === "allow" || name === "deny" || name === "auth_request") continue;
      else {
        const reason = reasonNotCarried(directive);
        if (reason !== undefined) note(directive, reason);
        if (block !== undefined) visit(block);
      }
    }
  };
  visit(root);
}
