import { type AuthBackendPlugin, type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { expect, test } from "vitest";
import { type PluginFixture, pluginContract } from "../src/index.ts";
import { honestBackend } from "./honest-backend.ts";

/** A plugin that keeps every promise. It has one option, `size`, a number. */
const honest: AuthBackendPlugin = {
  type: "honest",
  apiVersion: 1,
  optionsSchema: { type: "object" },
  async open(options, context) {
    const faults = faultsIn(options);
    if (faults.length > 0) throw new InvalidOptionsError(faults);
    return honestBackend(context, { down: false, silent: false, changes: 0 });
  },
};

function faultsIn(options: unknown): Fault[] {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return [{ path: [], message: "must be options" }];
  }
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (name !== "size" && name !== "depth") return [{ path: [name], message: "is not known" }];
    return typeof value === "number" ? [] : [{ path: [name], message: "must be a number" }];
  });
}

function fixtureOf(plugin: AuthBackendPlugin): PluginFixture {
  return {
    plugin,
    options: () => ({ size: 1 }),
    refused: [{ options: { size: "large", depth: "deep" }, paths: [["size"], ["depth"]] }],
  };
}

async function brokenCases(plugin: AuthBackendPlugin): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, run } of pluginContract(fixtureOf(plugin))) {
    await run().catch(() => broken.push(name));
  }
  return broken;
}

test("a plugin that keeps every promise passes", async () => {
  expect(await brokenCases(honest)).toEqual([]);
});

const spoilt: Record<string, AuthBackendPlugin> = {
  "has a type, and the version of the contract that it was written for": { ...honest, type: "two words" },
  "makes of good options a backend with the id that it was given, and leaves them as they are": {
    ...honest,
    open: async (options, context) => ({ ...(await honest.open(options, context)), id: "my own" }),
  },
  "opens twice, and each backend is closed for itself": (() => {
    let opened = 0;
    let closed = 0;
    const plugin: AuthBackendPlugin = {
      ...honest,
      async open(options, context) {
        const backend = await honest.open(options, context);
        opened++;
        return {
          ...backend,
          async check() {
            if (closed > 0 && opened > 2) throw new TypeError("what all share is closed");
          },
          async close() {
            closed++;
          },
        };
      },
    };
    return plugin;
  })(),
  "names an option that it does not know": {
    ...honest,
    open: (options, context) => honest.open(without(options, "noSuchOption"), context),
  },
  "refuses what is not a set of options at all": {
    ...honest,
    open: (options, context) => honest.open(options ?? {}, context),
  },
  "names every option that is wrong, in a line each": {
    ...honest,
    async open(options, context) {
      const [first] = faultsIn(options);
      if (first !== undefined) throw new InvalidOptionsError([first]);
      return honest.open(options, context);
    },
  },
};

function without(options: unknown, name: string): unknown {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return options;
  return Object.fromEntries(Object.entries(options).filter(([key]) => key !== name));
}

test("there is a broken plugin for every case", () => {
  expect(Object.keys(spoilt).sort()).toEqual(
    pluginContract(fixtureOf(honest))
      .map(({ name }) => name)
      .sort(),
  );
});

test.each(Object.entries(spoilt))("what breaks one promise fails that case alone: %s", async (name, plugin) => {
  expect(await brokenCases(plugin)).toEqual([name]);
});
