import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type BackendContext, InvalidOptionsError, parseDuration, timerDelay } from "@registry-gate/auth";
import { resolve as resolvePackage } from "import-meta-resolve";
import { waitFor } from "./deadline.ts";
import type { PassportPluginOptions } from "./plugin-options.ts";
import { redact } from "./redact.ts";
import { isStrategy, type PassportStrategy } from "./strategy.ts";
import { strategyOptions, textsIn } from "./strategy-options.ts";

/** A strategy that a configuration names. */
export interface LoadedStrategy {
  readonly strategy: PassportStrategy;
  /** Made for this backend alone, and not the module's own. */
  readonly made: boolean;
}

/**
 * Imports a strategy and makes it, if it is not made yet. A class is given its options, and noResult else: a strategy that
 * leaves the verifying of passwords to a function cannot be made without one, and must not be made with one that says yes.
 *
 * @throws {InvalidOptionsError}
 */
export async function loadStrategy(
  configured: PassportPluginOptions,
  context: BackendContext,
): Promise<LoadedStrategy> {
  const { module, export: name } = configured;
  const options = await strategyOptions(configured, context.baseDirectory);
  const imported = await importModule(module, context.baseDirectory);
  const exported =
    name === undefined ? (pick(imported, "Strategy") ?? pick(imported, "default")) : pick(imported, name);
  if (exported === undefined || exported === null) {
    if (name !== undefined) throw fault("export", `${module} does not export ${name}`);
    throw fault("module", `${module} has neither an export Strategy nor a default export: set export`);
  }
  if (isStrategy(exported)) return { strategy: exported, made: false };
  const at = name === undefined ? "module" : "export";
  if (typeof exported !== "function")
    throw fault(at, `${module} exports neither a strategy nor a function that creates one`);
  const timeout = timerDelay(parseDuration(configured.timeout ?? "10s") ?? 0);
  const begin = async (): Promise<unknown> =>
    isStrategy(exported.prototype)
      ? Reflect.construct(exported, [options])
      : Reflect.apply(exported, undefined, [options, context]);
  const made = await waitFor<{ strategy: unknown } | { error: unknown }>({ timeout }, (settle) => {
    begin().then(
      (strategy) => settle({ strategy }),
      (error: unknown) => settle({ error }),
    );
  });
  if (typeof made === "string") throw fault("options", `did not create a strategy within ${timeout} ms`);
  if ("error" in made) {
    const reason = redact(messageOf(made.error), textsIn(options));
    throw fault("options", `could not create a strategy: ${reason}; write a module that creates it`);
  }
  const { strategy } = made;
  if (!isStrategy(strategy)) throw fault(at, `${module} did not return a strategy`);
  return { strategy, made: true };
}

async function importModule(module: string, baseDirectory: string): Promise<unknown> {
  const location = await locate(module, baseDirectory);
  try {
    return await import(location);
  } catch (error) {
    throw fault("module", `${module} cannot be loaded: ${redact(messageOf(error), [])}`);
  }
}

/** A file of the user's own is loaded again after it has changed, as are the other files of a configuration. */
async function locate(module: string, baseDirectory: string): Promise<string> {
  if (/^\.{0,2}\//.test(module)) {
    const url = pathToFileURL(resolve(baseDirectory, module));
    const { mtimeMs } = await stat(url).catch(() => {
      throw fault("module", `no such file: ${module}`);
    });
    url.searchParams.set("changed", String(mtimeMs));
    return url.href;
  }
  try {
    return resolvePackage(module, pathToFileURL(join(baseDirectory, "registry-gate.yaml")).href);
  } catch {
    throw fault("module", `the package ${module} is not installed where the configuration is`);
  }
}

/** From the module itself, or, in the older format of modules, from the object that is its whole export. */
function pick(imported: unknown, name: string): unknown {
  const own = propertyOf(imported, name);
  return own === undefined && name !== "default" ? propertyOf(propertyOf(imported, "default"), name) : own;
}

function propertyOf(value: unknown, name: string): unknown {
  const holds = (typeof value === "object" || typeof value === "function") && value !== null;
  return holds && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function fault(option: keyof PassportPluginOptions, message: string): InvalidOptionsError {
  return new InvalidOptionsError([{ path: [option], message }]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
