import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import type { RunningServer } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";

const teams = 100;
const apps = 500;
const mebibyte = 1024 * 1024;

let directory: string;
let registry: RunningServer;
let gate: RunningGate;
/** What the registry was asked, one entry a request. */
let asked: string[] = [];

const teamName = (team: number): string => `team${String(team).padStart(3, "0")}`;
const appName = (team: number, app: number): string => `${teamName(team)}/app${String(app).padStart(3, "0")}`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-catalog-"));
  // The registry takes for a repository whatever has a folder for layers.
  const root = join(directory, "data/docker/registry/v2/repositories");
  for (let team = 0; team < teams; team++) {
    const names = Array.from({ length: apps }, (_, app) => appName(team, app));
    await Promise.all(names.map((name) => mkdir(join(root, name, "_layers"), { recursive: true })));
  }
  registry = await startDockerRegistryIn(
    directory,
    {},
    {
      onLine: (text) => {
        if (text.includes('"msg":"authorizing request"')) asked.push(text);
      },
    },
  );
  const users = ["everything", "every-seventh-team", "the-last", "nothing"];
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: `http://${registry.address}` },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [
        { subjects: ["user:everything"], repositories: ["**"], actions: ["pull"] },
        { subjects: ["user:every-seventh-team"], repositories: ["team0*7/**"], actions: ["pull"] },
        { subjects: ["user:the-last"], repositories: [appName(teams - 1, apps - 1)], actions: ["pull"] },
      ],
    },
    files: { htpasswd: await passwordFile(Object.fromEntries(users.map((user) => [user, `${user}-password`]))) },
  });
});

afterAll(async () => {
  await gate?.close();
  await registry?.close();
  await rm(directory, { recursive: true, force: true });
});

interface Page {
  readonly repositories: readonly string[];
  readonly next: string | undefined;
}

async function page(user: string, target: string): Promise<Page> {
  const response = await fetch(gate.url + target, { headers: basic(user, `${user}-password`) });
  expect(response.status).toBe(200);
  const { repositories }: { repositories: string[] } = JSON.parse(await response.text());
  return { repositories, next: /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1] };
}

async function pages(user: string, target: string): Promise<Page[]> {
  const all: Page[] = [];
  for (let next: string | undefined = target; next !== undefined; next = all.at(-1)?.next) {
    all.push(await page(user, next));
  }
  return all;
}

function upstreamRequests(): number {
  const count = asked.length;
  asked = [];
  return count;
}

/** The registry walks through its folders for each page. */
const longRunning = { timeout: 300_000 };

/** The most memory that the gate has had in use so far, in bytes. */
async function peakMemory(): Promise<number> {
  const status = await readFile(`/proc/${gate.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test("a user who may pull everything gets the registry's own pages", longRunning, async () => {
  upstreamRequests();
  const all = await pages("everything", "/v2/_catalog?n=1000");
  expect(all.flatMap(({ repositories }) => repositories)).toHaveLength(teams * apps);
  expect(upstreamRequests()).toBe(all.length);
});

test(
  "a user who may pull some repositories gets full pages of these alone, the last without a Link, and memory stays flat",
  longRunning,
  async () => {
    const before = await peakMemory();
    upstreamRequests();
    const all = await pages("every-seventh-team", "/v2/_catalog?n=300");
    const visible = Array.from({ length: teams }, (_, team) => team)
      .filter((team) => teamName(team).endsWith("7"))
      .flatMap((team) => Array.from({ length: apps }, (_, app) => appName(team, app)));
    expect(all.flatMap(({ repositories }) => repositories)).toEqual(visible);
    for (const { repositories } of all.slice(0, -1)) expect(repositories).toHaveLength(300);
    for (const { next } of all.slice(0, -1)) expect(next).toMatch(/^\/v2\/_catalog\?last=team\d\d7%2Fapp\d{3}&n=300$/);
    // Each of the registry's pages of a thousand is read once, and once more for each page of ours that ends within it.
    expect(upstreamRequests()).toBeLessThanOrEqual((teams * apps) / 1000 + 2 * all.length);
    expect((await peakMemory()) - before).toBeLessThan(32 * mebibyte);
  },
);

test(
  "a single visible one at the very end is found by Links, no page of which costs the registry much",
  longRunning,
  async () => {
    const found: string[] = [];
    for (let target: string | undefined = "/v2/_catalog?n=10"; target !== undefined; ) {
      upstreamRequests();
      const { repositories, next }: Page = await page("the-last", target);
      expect(upstreamRequests()).toBeLessThanOrEqual(10);
      found.push(...repositories);
      expect(next ?? "").toMatch(/^(?:$|\/v2\/_catalog\?last=~[A-Za-z0-9_-]{300,}&n=10$)/);
      target = next;
    }
    expect(found).toEqual([appName(teams - 1, apps - 1)]);
  },
);

test("a user who may pull nothing gets an empty list, and the registry is not even asked", async () => {
  upstreamRequests();
  expect(await page("nothing", "/v2/_catalog")).toEqual({ repositories: [], next: undefined });
  expect(upstreamRequests()).toBe(0);
});

test("a place to go on from that is not visible shows no more than the ones after it that are", async () => {
  const hidden = await page("every-seventh-team", `/v2/_catalog?n=2&last=${encodeURIComponent(appName(8, 3))}`);
  expect(hidden.repositories).toEqual([appName(17, 0), appName(17, 1)]);
  const absent = await page("every-seventh-team", "/v2/_catalog?n=2&last=team008/no-such");
  expect(absent).toEqual(hidden);
});
