import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Site } from "./site.ts";

/** Something that happens to a site, and is over when it resolves. */
export interface Disturbance {
  readonly name: string;
  act(site: Site, turn: number): Promise<void>;
}

/** How long something is away, in milliseconds. */
const outage = 2000;

/** Everything that happens to a site, in turn. */
export const disturbances: readonly Disturbance[] = [
  { name: "another configuration", act: (site, turn) => site.configure(turn) },
  { name: "connections cut", act: async (site) => void site.front.cut(0.5) },
  { name: "a worker killed", act: killWorker },
  { name: "another password file", act: (site) => site.changePasswordFile() },
  {
    name: "the directory restarted",
    async act({ slapd }) {
      await slapd.stop();
      await delay(outage);
      await slapd.start();
    },
  },
  { name: "another certificate", act: (site) => site.changeCertificate() },
  {
    name: "Redis restarted, and empty",
    async act({ redis }) {
      await redis.stop();
      await delay(outage);
      await redis.start();
    },
  },
  { name: "connections cut", act: async (site) => void site.front.cut(0.5) },
  { name: "a replica restarted", act: ({ replicas: [first] }) => first.restart("SIGTERM") },
  {
    name: "the registry restarted",
    async act({ registry }) {
      await registry.stop();
      await delay(outage);
      await registry.start();
    },
  },
  {
    name: "a configuration that is none, and a right one",
    async act(site, turn) {
      await site.misconfigure();
      await delay(outage);
      await site.configure(turn);
    },
  },
  { name: "a replica killed", act: ({ replicas: [first] }) => first.restart("SIGKILL") },
];

/** By the number that the replica's own process has for it. */
async function killWorker({ replicas: [first] }: Site): Promise<void> {
  const workers = await first.workers();
  const worker = workers[randomInt(Math.max(1, workers.length))];
  if (worker === undefined) throw new Error("the replica has no workers");
  process.kill(worker, "SIGKILL");
}
