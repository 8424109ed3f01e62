import { suggestKey } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { builtInPlugins } from "../src/plugins.ts";

test.each((await builtInPlugins()).map((plugin) => [plugin.type, plugin] as const))(
  "every option of %s is known",
  (_, plugin) => {
    const { properties } = plugin.optionsSchema ?? {};
    const options = Object.keys(properties ?? {});
    expect(options).not.toEqual([]);
    for (const option of options)
      expect(suggestKey(plugin.optionsSchema, [`${option}x`])).toBe(`; did you mean ${option}?`);
  },
);
