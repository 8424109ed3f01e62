/**
 * A portal such as somebody might have: its own routes, bodies that it parses, and a registry. The registry is mounted
 * in two ways, in two applications. Usage: node portal.js REGISTRY-URL PASSWORD-FILE GROUP-FILE
 */
import { createServer, type Server } from "node:http";
import type { AuthBackend } from "@registry-gate/auth";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { type AccessRule, type RegistryProxy, type RequestRecord, registryProxy } from "@registry-gate/core";
import express, { type Express } from "express";

const [url, file, groupFile] = process.argv.slice(2);
if (url === undefined || file === undefined || groupFile === undefined) throw new Error("three arguments are needed");

/** What the portal adds by itself: its own robot, known by a token. */
const robot: AuthBackend = {
  id: "robot",
  authenticate: async ({ credentials }) => {
    if (credentials?.scheme !== "bearer") return { status: "abstained" };
    return credentials.token === "portal-robot"
      ? { status: "authenticated", identity: { subject: "robot", username: "robot", groups: [], backend: "robot" } }
      : { status: "rejected", reason: "not the robot's token" };
  },
};

const access: readonly AccessRule[] = [
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["pull", "push"] },
];

const users = await htpasswdBackend({ file, groupFile });
const records: RequestRecord[] = [];

function registry(upstream: string): RegistryProxy {
  return registryProxy({
    upstream: { url: upstream },
    backends: [users, robot],
    realm: "Portal",
    access,
    onFinished: (record) => records.push(record),
  });
}

function ownRoutes(app: Express): void {
  app.use(express.json());
  app.get("/", (_request, response) => {
    response.send("the portal");
  });
  app.get("/v2-migration", (_request, response) => {
    response.send("a page that only looks like the registry");
  });
  app.post("/notes", (request, response) => {
    response.status(201).json({ received: request.body });
  });
  app.get("/records", (_request, response) => {
    response.json(records);
  });
}

const underV2 = express();
const first = registry(url);
underV2.use("/v2", first);
ownRoutes(underV2);

const atRoot = express();
const second = registry(url);
atRoot.use(second);
ownRoutes(atRoot);

function serve(app: Express): Promise<Server> {
  const server = createServer(app);
  first.attach(server, app);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

const servers = [await serve(underV2), await serve(atRoot)];
const ports = servers.map((server) => {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
});
console.log(JSON.stringify({ underV2: ports[0], atRoot: ports[1] }));

process.once("SIGTERM", async () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  await Promise.all([first.close(), second.close(), users.close?.()]);
});
