import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { backendContract, basicAsk, bearerAsk, pluginContract } from "@registry-gate/auth-testkit";
import { plugin } from "../src/index.ts";
import { startService } from "./service.ts";

const key = "acme-key-0123456789";
const service = await startService(key);
const baseDirectory = await mkdtemp(join(tmpdir(), "acme-"));
await writeFile(join(baseDirectory, "accounts.key"), `${key}\n`);
after(async () => {
  await service.stop();
  await rm(baseDirectory, { recursive: true });
});

const options = {
  url: service.url,
  keyFile: "accounts.key",
  groups: { "Release Engineering": "pushers" },
  timeout: "60s",
};

const contract = backendContract({
  open: (context) => plugin.open(options, { ...context, baseDirectory }),
  users: [
    { ask: basicAsk("ann", "ann-password"), username: "ann", groups: ["pushers"] },
    { ask: basicAsk("ben", "ben-password"), username: "ben", groups: [] },
  ],
  wrong: [basicAsk("ann", "ben-password")],
  unknown: [basicAsk("eve", "ann-password")],
  foreign: [bearerAsk("a token")],
  secrets: ["ann-password", "ben-password", key],
  async outage() {
    await service.stop();
    return () => service.start();
  },
  async silence() {
    service.fallSilent(true);
    return async () => service.fallSilent(false);
  },
});

const plugins = pluginContract({
  plugin,
  baseDirectory,
  options: () => options,
  refused: [
    { options: {}, paths: [["url"], ["keyFile"]] },
    { options: { ...options, url: "ldap://accounts" }, paths: [["url"]] },
    { options: { ...options, keyFile: "missing" }, paths: [["keyFile"]] },
    { options: { ...options, groups: { "Release Engineering": 7 } }, paths: [["groups", "Release Engineering"]] },
    { options: { ...options, timeout: "soon", groups: [] }, paths: [["timeout"], ["groups"]] },
  ],
});

for (const { name, run } of [...contract, ...plugins]) test(name, run);
