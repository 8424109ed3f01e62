import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { visitor } from "../support/visitor.ts";
import { builtGate } from "./built-gate.ts";
import { atMost, type Findings } from "./findings.ts";
import { startLargeRegistry } from "./large-registry.ts";
import type { Scale } from "./scale.ts";

const repositories = 50_000;
/** In milliseconds, at the median. */
const most = 50;
const pages = {
  repositories: "/",
  "the last page of them": "/?page=1000",
  "a search": "/?q=service-4",
  "a repository": "/r/team/service-00042",
  "a tag": "/r/team/service-00042:1.7",
};

/** How soon pages of the portal respond, one after the other, before a registry with many repositories. */
export async function portalPages({ quick, progress }: Scale): Promise<Findings> {
  const registry = await startLargeRegistry(repositories);
  try {
    const gate = await startGate({
      command: "portal",
      program: builtGate,
      configuration: {
        listen: { address: "127.0.0.1:0" },
        upstream: { url: registry.url },
        auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
        access: [{ subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] }],
        portal: { cookie: { secure: false } },
      },
      files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
    });
    try {
      const alice = visitor(gate.url);
      await alice.signIn("alice", "alice-password");
      const samples = Object.entries(pages).map(([name, path]) => ({ name, path, times: [] as number[] }));
      for (let round = -2; round < (quick ? 10 : 50); round++) {
        for (const { name, path, times } of samples) {
          progress(name);
          const begun = performance.now();
          const { status } = await alice.get(path);
          if (status !== 200) throw new Error(`${path}: ${status}`);
          if (round >= 0) times.push(performance.now() - begun);
        }
      }
      return {
        id: "portal.pages",
        title: `Pages of the portal before ${repositories} repositories`,
        columns: [{ id: "time", label: "ms", digits: 1, better: "less" }],
        rows: samples.map(({ name, times }) => ({ name, own: true, samples: { time: times } })),
        limits: samples.map(({ name, times }) => atMost(most, `ms, ${name}`, times)),
      };
    } finally {
      await gate.close();
    }
  } finally {
    await registry.close();
  }
}
