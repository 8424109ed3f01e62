import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { type Client, type Outcome, tag } from "./client.ts";
import { type Challenge, clientNames, type Scene, setScene } from "./scene.ts";
import { type Step, steps } from "./steps.ts";
import { cellOf, readTable, writeTable } from "./table.ts";

const page = resolve(import.meta.dirname, "../../docs/clients.md");

/** Each way to ask for a login, and the heading of its table. */
const challenges: readonly (readonly [Challenge, string])[] = [
  ["basic", "Under a Basic challenge"],
  ["bearer", "Under a Bearer challenge"],
];

const manifestTypes = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
].join(", ");

/** What a person reads, by what the rules say. */
const said = {
  login:
    /unauthorized|authentication required|no basic auth credentials|basic credential not found|authorization failed|\b401\b/i,
  denied: /denied|\b403 forbidden\b/i,
};

let scene: Scene;
let documentation: string;

beforeAll(async () => {
  documentation = await readFile(page, "utf8");
  scene = await setScene();
});

afterAll(() => scene?.close());

describe.each(challenges)("asked for a login by a %s challenge", (challenge, heading) => {
  const head = steps.map(({ title }) => title);
  const rows = new Map<string, readonly string[]>([["client", head]]);

  beforeAll(() => scene.challengeBy(challenge));

  test.each(clientNames)(
    "%s does what the rules allow and is refused the rest, as the documentation has it",
    async (name) => {
      const transcript: string[] = [];
      onTestFailed(() => void process.stderr.write(`${transcript.join("\n\n")}\n`));
      const kept = readTable(documentation, heading).get(name) ?? [];
      const outcomes = await tryAll(scene.client(name), challenge, transcript);
      const cells = outcomes.map((outcome, column) => cellOf(outcome, kept[column]));
      rows.set(name, cells);
      for (const [column, step] of steps.entries()) {
        // Docker takes a Basic challenge for an order to log in: the documentation has it.
        if (challenge === "basic" && step.anonymous && step.verdict === "allowed") continue;
        expectVerdict(step, outcomes[column]);
      }
      expect(cells).toEqual(kept);
    },
    120_000,
  );

  test("the documentation has these clients and steps, and no others", () => {
    process.stdout.write(`\n${heading}\n\n${writeTable(rows)}\n\n`);
    const table = readTable(documentation, heading);
    expect([...table.keys()]).toEqual(["client", ...clientNames]);
    expect(table.get("client")).toEqual(head);
  });
});

/** Has two people try every step with a client. @param transcript Takes what was said, by the client and by the gate. */
async function tryAll(client: Client, challenge: Challenge, transcript: string[]): Promise<readonly Outcome[]> {
  const alice = await client.newUser();
  const reader = await client.newUser();
  const outcomes: Outcome[] = [];
  try {
    for (const step of steps) {
      const from = scene.stage.gate.lines().length;
      const outcome = await step.run({ alice, reader }, client, challenge);
      outcomes.push(outcome);
      const log = scene.stage.gate.lines().slice(from);
      transcript.push(`${client.name}: ${step.title}\n${outcome.words}`, ...log.map((line) => JSON.stringify(line)));
      await expectTruth(step, step.repository(client, challenge), outcome, from);
    }
  } finally {
    await alice.close();
    await reader.close();
  }
  return outcomes;
}

/** Compares what a client says with what the registry has and what the gate saw since line `from` of its log. */
async function expectTruth(step: Step, repository: string | undefined, { ok }: Outcome, from: number): Promise<void> {
  const { gate, registry } = scene.stage;
  if (step.kind === "push") {
    const headers = { Accept: manifestTypes };
    const { status } = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, { headers });
    expect(status, step.title).toBe(ok ? 200 : 404);
  }
  if (step.kind === "pull" && ok) {
    // The log is written in batches.
    await expect
      .poll(() => gate.lines().slice(from), { timeout: 30_000 })
      .toContainEqual(expect.objectContaining({ event: "request", decision: "allowed", repository }));
  }
}

function expectVerdict({ verdict, title }: Step, outcome: Outcome | undefined): void {
  expect(outcome?.ok, `${title}: ${outcome?.words}`).toBe(verdict === "allowed");
  if (verdict !== "allowed") expect(outcome?.words, title).toMatch(said[verdict]);
}
