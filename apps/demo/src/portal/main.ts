import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { htpasswdBackend, setPassword } from "@registry-gate/auth-htpasswd";
import { type DemoRegistry, runningRegistry, startRegistry } from "../registries.ts";
import { openApp } from "./app.ts";

const usage = `usage: npx --yes pnpm@12 portal [--upstream URL] [--port PORT]

  --upstream URL   a registry that runs already; otherwise one on this machine, or the embedded one, is started
  --port PORT      where to listen on localhost; 8080 by default, 0 for any free one
  --help           this
`;

interface Choices {
  readonly upstream: string | undefined;
  readonly port: number;
}

/** What is asked for; `undefined` where there is nothing to start. */
function choices(): Choices | undefined {
  try {
    const { values } = parseArgs({
      options: { upstream: { type: "string" }, port: { type: "string", default: "8080" }, help: { type: "boolean" } },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      return undefined;
    }
    const port = Number(values.port);
    if (!/^\d{1,5}$/.test(values.port) || port > 65_535) throw new Error(`${values.port} is not a port`);
    return { upstream: values.upstream, port };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** @throws {Error} in one sentence where the port cannot be had. */
async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE")
      throw new Error(`port ${port} is in use: choose another one by --port, such as --port 0`);
    throw new Error(`cannot listen on port ${port}: ${String(code)}`);
  }
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}

/** Resolves when the demo is to end. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

async function run({ upstream, port }: Choices): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-portal-"));
  const opened: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const end = interrupted();
    await setPassword(join(directory, "htpasswd"), "alice", "correct horse");
    await setPassword(join(directory, "htpasswd"), "bob", "battery staple");
    await writeFile(join(directory, "groups"), "pushers: alice\nadmins: alice\n");
    const users = await htpasswdBackend(
      { file: "htpasswd", groupFile: "groups" },
      { id: "users", baseDirectory: directory, log: console },
    );
    opened.push(() => users.close?.());
    const registry: DemoRegistry = await (upstream === undefined
      ? startRegistry(directory)
      : runningRegistry(upstream));
    opened.push(() => registry.close());
    const app = await openApp({
      upstream: registry.url,
      users,
      access: [
        { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
        { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["push", "delete"] },
        { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push", "delete"] },
      ],
      adminGroups: ["admins"],
    });
    opened.push(() => app.close());
    const host = `localhost:${await listen(app.server, port)}`;
    opened.push(() => {
      app.server.close();
      app.server.closeAllConnections();
    });
    process.stdout.write(`
The portal is at http://${host}, in front of ${registry.description}.
Sign in there as alice (correct horse), who may push to team/ and sees everybody's activity, or as bob (battery staple).
With docker: docker login -u alice -p 'correct horse' ${host}
Ctrl-C ends the portal and everything that it started.

`);
    await end;
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

const chosen = choices();
if (chosen !== undefined) {
  await run(chosen).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
