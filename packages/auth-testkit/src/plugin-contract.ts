import assert from "node:assert/strict";
import type { AuthBackendPlugin, BackendContext, Fault } from "@registry-gate/auth";
import { type ContractCase, givenId } from "./case.ts";
import { recordingLog } from "./recording-log.ts";

/** Options that a plugin must refuse. */
export interface RefusedOptions {
  readonly options: unknown;
  /** Where: the path of each fault, in any order. */
  readonly paths: readonly Fault["path"][];
}

/** A plugin as the contract's cases need it. */
export interface PluginFixture {
  readonly plugin: AuthBackendPlugin;
  /** Options that it takes, without `type`; called once for each case. */
  options(): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
  readonly refused: readonly [RefusedOptions, ...RefusedOptions[]];
  /** What relative paths in the options are relative to. Default: the current directory. */
  readonly baseDirectory?: string;
}

/** The contract of a plugin, as tests for any runner. Its backends have {@link backendContract}. */
export function pluginContract(fixture: PluginFixture): readonly ContractCase[] {
  const { plugin, baseDirectory = process.cwd() } = fixture;
  const context = (): BackendContext => {
    const { log, warn } = recordingLog();
    return { id: givenId, baseDirectory, log, warn };
  };
  const faultsOf = async (options: unknown): Promise<readonly Fault[]> => {
    const opened = plugin.open(options, context());
    const error = await opened.then(
      async (backend) => {
        await backend.close?.();
        return assert.fail("it took options that are wrong");
      },
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Error && "code" in error, `it threw ${String(error)}`);
    assert.equal(error.code, "INVALID_OPTIONS");
    assert.ok("faults" in error && Array.isArray(error.faults) && error.faults.length > 0, "an error has its faults");
    return error.faults;
  };

  return [
    {
      name: "has a type, and the version of the contract that it was written for",
      async run() {
        assert.match(plugin.type, /^\S+$/);
        assert.equal(plugin.apiVersion, 1);
        assert.ok(plugin.optionsSchema === undefined || typeof plugin.optionsSchema === "object");
      },
    },
    {
      name: "makes of good options a backend with the id that it was given, and leaves them as they are",
      async run() {
        const options = await fixture.options();
        const before = structuredClone(options);
        const backend = await plugin.open(deepFrozen(options), context());
        await backend.close?.();
        assert.equal(backend.id, givenId);
        assert.deepEqual(options, before);
      },
    },
    {
      name: "opens twice, and each backend is closed for itself",
      async run() {
        const options = await fixture.options();
        const [one, two] = [await plugin.open(options, context()), await plugin.open(options, context())];
        await one.close?.();
        await two.check?.(AbortSignal.timeout(30_000)).catch(assertNotClosed);
        await two.close?.();
      },
    },
    {
      name: "names an option that it does not know",
      async run() {
        const faults = await faultsOf({ ...(await fixture.options()), noSuchOption: true });
        assert.deepEqual(pathsOf(faults), ["noSuchOption"]);
      },
    },
    {
      name: "refuses what is not a set of options at all",
      async run() {
        for (const options of [undefined, null, [], "options", 5]) await faultsOf(options);
      },
    },
    {
      name: "names every option that is wrong, in a line each",
      async run() {
        for (const { options, paths } of fixture.refused) {
          const faults = await faultsOf(options);
          assert.deepEqual(pathsOf(faults), paths.map((path) => path.join(".")).sort());
          for (const { message } of faults) assert.match(message, /^[^\n]+$/);
        }
      },
    },
  ];
}

function pathsOf(faults: readonly Fault[]): string[] {
  return faults.map(({ path }) => path.join(".")).sort();
}

/** A server that is not there is no fault of the plugin's. */
function assertNotClosed(error: unknown): void {
  assert.ok(error instanceof Error && "code" in error && error.code === "BACKEND_UNAVAILABLE", String(error));
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) deepFrozen(part);
    Object.freeze(value);
  }
  return value;
}
