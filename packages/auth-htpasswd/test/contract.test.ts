import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuthBackend } from "@registry-gate/auth";
import { htpasswdBackend, plugin, setPassword } from "@registry-gate/auth-htpasswd";
import { backendContract, basicAsk, bearerAsk, pluginContract } from "@registry-gate/auth-testkit";
import { test } from "vitest";
import { cheapEntry, scratchDirectory } from "./fixtures.ts";

const passwords = { alice: "alice's canary", bob: "bob's canary" };

async function directory(): Promise<string> {
  const path = await scratchDirectory();
  const entries = Object.entries(passwords).map(([username, password]) => cheapEntry(username, password));
  await writeFile(join(path, "users"), `${entries.join("\n")}\n`);
  await writeFile(join(path, "groups"), "pushers: alice\nreaders: alice bob\n");
  return path;
}

const directories = new WeakMap<AuthBackend, string>();

const cases = backendContract({
  async open(context) {
    const baseDirectory = await directory();
    const backend = await htpasswdBackend({ file: "users", groupFile: "groups" }, { ...context, baseDirectory });
    directories.set(backend, baseDirectory);
    return backend;
  },
  async changePassword(backend) {
    const file = join(directories.get(backend) ?? "", "users");
    const changed = Promise.withResolvers<void>();
    const unsubscribe = backend.onChange?.(() => changed.resolve());
    await setPassword(file, "alice", "alice's other canary", { cost: 4 });
    await changed.promise;
    unsubscribe?.();
    return async () => {};
  },
  users: [
    { ask: basicAsk("alice", passwords.alice), username: "alice", groups: ["pushers", "readers"] },
    { ask: basicAsk("bob", passwords.bob), username: "bob", groups: ["readers"] },
  ],
  wrong: [basicAsk("alice", passwords.bob), basicAsk("bob", "nobody's canary")],
  unknown: [basicAsk("carol", "carol's canary"), basicAsk("alice2", passwords.alice)],
  foreign: [bearerAsk("a token")],
  // There is no outage: what is asked is in memory, and a file that cannot be read leaves the last good one in force.
  secrets: ["alice's other canary", "nobody's canary", "carol's canary", ...Object.values(passwords)],
});

for (const { name, run } of cases) test(`the backend ${name}`, run);

const pluginCases = pluginContract({
  plugin,
  options: async () => ({ file: join(await directory(), "users") }),
  refused: [
    { options: {}, paths: [["file"]] },
    {
      options: { file: "no such file", groupFile: 5, allowPlaintext: "yes", hashConcurrency: 0, hashQueue: -1 },
      paths: [["groupFile"], ["allowPlaintext"], ["hashConcurrency"], ["hashQueue"]],
    },
    { options: { file: "/no/such/file", groupFile: "/no/such/groups" }, paths: [["file"], ["groupFile"]] },
  ],
});

for (const { name, run } of pluginCases) test(`the plugin ${name}`, run);
