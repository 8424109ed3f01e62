import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type AuthBackendPlugin, InvalidOptionsError } from "@registry-gate/auth";
import { backendFault, didYouMean } from "@registry-gate/auth-kit";
import { oneLine } from "./one-line.ts";

/**
 * The backends that need no further package, by their types. This is the one list of them. Each is loaded when a
 * configuration names it: all of them are a third of what the gate is made of.
 */
const builtIn: ReadonlyMap<string, () => Promise<AuthBackendPlugin>> = new Map([
  ["htpasswd", async () => (await import("@registry-gate/auth-htpasswd")).plugin],
  ["ldap", async () => (await import("@registry-gate/auth-ldap")).plugin],
  ["sso-header", async () => (await import("@registry-gate/auth-sso")).ssoHeaderPlugin],
  ["sso-jwt", async () => (await import("@registry-gate/auth-sso")).ssoJwtPlugin],
  ["passport", async () => (await import("@registry-gate/passport")).plugin],
  ["portal-users", async () => (await import("@registry-gate/portal")).plugin],
  ["access-token", async () => (await import("@registry-gate/access-tokens")).plugin],
]);

/** All backends that need no further package. */
export function builtInPlugins(): Promise<readonly AuthBackendPlugin[]> {
  return Promise.all([...builtIn.values()].map((load) => load()));
}

/**
 * Finds the plugin for a backend's `type`: a built-in one, or the `plugin` that the package of this name exports. The
 * package is looked for from the directory of the configuration, where its user has installed it.
 *
 * @throws {InvalidOptionsError} at the path `type`.
 */
export async function findPlugin(type: string, directory: string): Promise<AuthBackendPlugin> {
  const load = builtIn.get(type);
  if (load !== undefined) return load();
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
  const known = [...builtIn.keys()];
  const { resolve } = await import("import-meta-resolve");
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
