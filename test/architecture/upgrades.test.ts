import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const workspace = resolve(import.meta.dirname, "../..");

test("no request waits for ever for a server that switches protocols", () => {
  const files = globSync(["apps/gateway/src/**/*.ts", "packages/{auth*,core,token,access-tokens}/src/**/*.ts"], {
    cwd: workspace,
  });
  const sending = files.filter((file) =>
    /\brequest as https?Request\b/.test(readFileSync(join(workspace, file), "utf8")),
  );
  expect(sending.length).toBeGreaterThan(4);
  const waiting = sending.filter(
    (file) => !/refuseUpgrade\(|once\("upgrade"/.test(readFileSync(join(workspace, file), "utf8")),
  );
  expect(waiting).toEqual([]);
});
