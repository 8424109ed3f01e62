import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { plugin as accessToken } from "@registry-gate/access-tokens";
import { type AuthBackendPlugin, InvalidOptionsError } from "@registry-gate/auth";
import { plugin as htpasswd } from "@registry-gate/auth-htpasswd";
import { backendFault, didYouMean } from "@registry-gate/auth-kit";
import { plugin as ldap } from "@registry-gate/auth-ldap";
import { ssoHeaderPlugin, ssoJwtPlugin } from "@registry-gate/auth-sso";
import { plugin as passport } from "@registry-gate/passport";
import { resolve } from "import-meta-resolve";
import { oneLine } from "./one-line.ts";

/** The backends that need no further package. This is the one list of them. */
export const builtInPlugins: readonly AuthBackendPlugin[] = [
  htpasswd,
  ldap,
  ssoHeaderPlugin,
  ssoJwtPlugin,
  passport,
  accessToken,
];

/**
 * Finds the plugin for a backend's `type`: a built-in one, or the `plugin` that the package of this name exports. The
 * package is looked for from the directory of the configuration, where its user has installed it.
 *
 * @throws {InvalidOptionsError} at the path `type`.
 */
export async function findPlugin(type: string, directory: string): Promise<AuthBackendPlugin> {
  const builtIn = builtInPlugins.find((plugin) => plugin.type === type);
  if (builtIn !== undefined) return builtIn;
  const exported = await importPackage(type, directory);
  const plugin = isRecord(exported) ? exported.plugin : undefined;
  if (!isRecord(plugin)) return fault(`the package ${type} does not export a plugin`);
  if (plugin.apiVersion !== 1) {
    fault(
      `the package ${type} is for version ${String(plugin.apiVersion)} of the backend contract; this gate needs version 1`,
    );
  }
  const { open, optionsSchema } = plugin;
  if (typeof open !== "function") fault(`the plugin of the package ${type} has no open function`);
  return {
    type,
    apiVersion: 1,
    ...(isRecord(optionsSchema) && { optionsSchema }),
    open: async (options, context) => asBackend(type, await open.call(plugin, options, context)),
  };
}

async function importPackage(name: string, directory: string): Promise<unknown> {
  const known = builtInPlugins.map((plugin) => plugin.type);
  let location: string;
  try {
    location = resolve(name, pathToFileURL(join(directory, "registry-gate.yaml")).href);
  } catch {
    return fault(`is neither a known backend (${known.join(", ")}) nor an installed package${didYouMean(name, known)}`);
  }
  try {
    return await import(location);
  } catch (error) {
    return fault(`the package ${name} cannot be loaded: ${oneLine(error)}`);
  }
}

type Backend = Awaited<ReturnType<AuthBackendPlugin["open"]>>;

/** What a third party opens is looked at here once, so that nothing else need doubt it. */
function asBackend(type: string, opened: unknown): Backend {
  if (isBackend(opened)) return opened;
  const what = `the package ${type} did not return a valid backend`;
  return fault(isRecord(opened) ? `${what}: it ${backendFault(opened)}` : what);
}

function isBackend(value: unknown): value is Backend {
  return backendFault(value) === undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function fault(message: string): never {
  throw new InvalidOptionsError([{ path: ["type"], message }]);
}
