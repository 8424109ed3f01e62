import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { writeYaml } from "../src/import/write-yaml.ts";

const signs = [..."\0\t\n\r !\"#%&'*,-.0:>?@[\\]`{|}~\u0085\u00a0\u2028\ufeffae_"];
const text = fc.array(fc.constantFrom(...signs), { maxLength: 8 }).map((chosen) => chosen.join(""));

test("what is written is read as it was, whatever texts and comments are", () => {
  fc.assert(
    fc.property(text, text, (value, comment) => {
      const access = [{ subjects: [`user:${value}`, value], repositories: [value], actions: ["pull"] }];
      const configuration = { listen: { address: value }, upstream: { url: value }, auth: { realm: value }, access };
      const written = writeYaml({ configuration, notes: [], comments: [comment] }, `Imported from ${comment}.`);
      expect(parse(written)).toEqual(configuration);
    }),
    {
      numRuns: 3000,
      examples: [
        ["\n&", ""],
        ["\n0", "x\naccess: []"],
      ],
    },
  );
});
