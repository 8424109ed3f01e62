import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { htpasswdBackend, setPassword } from "@registry-gate/auth-htpasswd";
import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { startPortal } from "./portal.ts";

const { values } = parseArgs({
  options: { upstream: { type: "string" }, port: { type: "string", default: "8080" } },
});

const directory = await mkdtemp(join(tmpdir(), "portal-"));
await setPassword(join(directory, "htpasswd"), "alice", "correct horse");
await setPassword(join(directory, "htpasswd"), "bob", "battery staple");
await writeFile(join(directory, "groups"), "pushers: alice\n");
const users = await htpasswdBackend(
  { file: "htpasswd", groupFile: "groups" },
  { id: "users", baseDirectory: directory, log: console },
);
const embedded = values.upstream === undefined ? await startEmbeddedRegistry() : undefined;
const portal = await startPortal({
  upstream: values.upstream ?? embedded?.url ?? "",
  users,
  access: [
    { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
    { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["push", "delete"] },
    { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
  ],
  port: Number(values.port),
});
console.log(`The portal is at ${portal.url}: sign in as alice (correct horse) or bob (battery staple).`);
console.log(`docker login -u alice -p 'correct horse' ${new URL(portal.url).host}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await portal.close();
    await users.close?.();
    await embedded?.close();
    await rm(directory, { recursive: true });
  });
}
