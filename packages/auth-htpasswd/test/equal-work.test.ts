import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { htpasswdBackendWith } from "../src/backend.ts";
import { dummyHashes, failureCost, failureTime } from "../src/equal-work.ts";
import { createHashChecks, type HashChecks } from "../src/hash-checks.ts";
import { type HashKind, type PasswordHash, readHash } from "../src/hash-format.ts";
import { matchHash } from "../src/match-hash.ts";
import { cheapEntry, run, scratchDirectory, signIn } from "./fixtures.ts";

type Computed = Pick<PasswordHash, "kind" | "cost">;

/** What was computed: iterations by kind, and how often SHA crypt was set up for them. */
function workOf(hashes: readonly Computed[]): Record<string, number> {
  const work: Record<string, number> = {};
  const add = (what: string, amount: number): void => {
    work[what] = (work[what] ?? 0) + amount;
  };
  for (const { kind, cost } of hashes) {
    if (kind === "bcrypt") add(kind, 2 ** cost);
    else if (kind === "sha256-crypt" || kind === "sha512-crypt") {
      add(kind, cost);
      add(`${kind} set-up`, 1);
    } else add(kind, 1);
  }
  return work;
}

const hash: fc.Arbitrary<PasswordHash> = fc.oneof(
  fc.integer({ min: 4, max: 12 }).map((cost) => ({ kind: "bcrypt" as const, cost, text: "" })),
  fc.record({
    kind: fc.constantFrom<HashKind>("sha256-crypt", "sha512-crypt"),
    cost: fc.constantFrom(1000, 5000, 5001, 100_000),
    text: fc.constant(""),
  }),
  fc.record({
    kind: fc.constantFrom<HashKind>("md5-crypt", "des-crypt", "sha1", "salted-sha1", "plain"),
    cost: fc.constant(0),
    text: fc.constant(""),
  }),
);

describe("a failed login", () => {
  it("does the same work for every user of any file, and for an unknown one", () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 20, size: "max" }), (hashes) => {
        const cost = atOnce(failureCost(hashes));
        const unknown = workOf(dummyHashes(cost, undefined));
        for (const own of hashes) expect(workOf([own, ...dummyHashes(cost, own)])).toEqual(unknown);
      }),
      { numRuns: 1000 },
    );
  });

  it("costs no more than the most expensive hash of each kind", () => {
    fc.assert(
      fc.property(fc.array(hash, { minLength: 1, maxLength: 20 }), (hashes) => {
        const cost = atOnce(failureCost(hashes));
        const kinds = [...new Set(hashes.map(({ kind }) => kind))];
        const dearest = kinds.map((kind) => ({
          kind,
          cost: Math.max(...hashes.filter((other) => other.kind === kind).map((other) => other.cost)),
        }));
        const work = workOf(dummyHashes(cost, undefined));
        for (const [what, amount] of Object.entries(workOf(dearest))) {
          if (!what.endsWith("set-up")) expect(work[what]).toBe(amount);
        }
        expect(dummyHashes(cost, undefined).length).toBeLessThanOrEqual(2 * kinds.length);
        expect(failureTime(cost)).toBeGreaterThan(0);
      }),
    );
  });

  it("costs nothing where there are no users", () => {
    expect(dummyHashes(atOnce(failureCost([])), undefined)).toEqual([]);
  });

  it("has dummyHashes that are checked as hashes of their kind, and match nothing", () => {
    fc.assert(
      fc.property(fc.array(hash, { minLength: 1, maxLength: 5 }), fc.string({ maxLength: 20 }), (hashes, password) => {
        for (const { kind, cost, text } of dummyHashes(atOnce(failureCost(hashes)), undefined)) {
          if (kind === "bcrypt") expect(readHash(text, false)).toEqual({ hash: { kind, cost, text } });
          else expect(matchHash({ kind, cost: Math.min(cost, 1000), text }, password)).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("the backend", () => {
  /** Four users of different kinds, and one whose hash is the most expensive of its kind. */
  async function mixedFile(): Promise<string> {
    const directory = await scratchDirectory();
    const entries = [
      cheapEntry("four", "secret"),
      run("htpasswd", ["-niBC", "6", "six"], "secret"),
      run("htpasswd", ["-nim", "md5"], "secret"),
      run("htpasswd", ["-nis", "sha"], "secret"),
      run("htpasswd", ["-ni5", "-r", "2000", "sha512"], "secret"),
      run("htpasswd", ["-ni5", "-r", "1500", "sha512-less"], "secret"),
    ];
    await writeFile(join(directory, "users"), entries.join("\n"));
    return directory;
  }

  it("computes as much for each user of a mixed file as for an unknown one", async () => {
    const done: Computed[] = [];
    const real = createHashChecks();
    const counted: HashChecks = {
      matches(hash, password) {
        done.push(hash);
        return real.matches(hash, password);
      },
      close: () => real.close(),
    };
    const context = { id: "users", baseDirectory: await mixedFile(), log: recordingLog().log };
    const backend = await htpasswdBackendWith(counted, { file: "users" }, context);
    onTestFinished(() => backend.close?.());

    const workOfLogin = async (username: string, password: string): Promise<Record<string, number>> => {
      done.length = 0;
      expect((await signIn(backend, username, password)).status).not.toBe("authenticated");
      return workOf(done);
    };
    const users = ["four", "six", "md5", "sha", "sha512", "sha512-less"];
    // Bcrypt is not asked about more than 72 bytes, and nothing about more than 512.
    for (const password of ["wrong", "w".repeat(73), "w".repeat(513)]) {
      const unknown = await workOfLogin("nobody", password);
      expect(unknown.bcrypt).toBe(password.length > 72 ? undefined : 64);
      for (const user of users) expect(await workOfLogin(user, password), user).toEqual(unknown);
    }
    for (const user of users) {
      done.length = 0;
      expect(await signIn(backend, user, "secret")).toMatchObject({ identity: { username: user } });
      expect(done).toHaveLength(1);
    }
  });

  it("stops the work that is done for its time alone when nobody waits any more", async () => {
    const done: Computed[] = [];
    const leaving = new AbortController();
    const checks: HashChecks = {
      async matches(hash) {
        done.push(hash);
        leaving.abort();
        return false;
      },
      close: async () => {},
    };
    const backend = await htpasswdBackendWith(checks, { file: "users" }, { baseDirectory: await mixedFile() });
    onTestFinished(() => backend.close?.());
    await expect(signIn(backend, "four", "wrong", leaving.signal)).rejects.toThrow("aborted");
    expect(done).toEqual([expect.objectContaining({ kind: "bcrypt", cost: 4 })]);
  });

  it("warns where one hash makes every failed login slow", async () => {
    const directory = await scratchDirectory();
    const dear = `slow:$2y$16$${".".repeat(53)}`;
    await writeFile(join(directory, "users"), `${cheapEntry("quick", "secret")}\n${dear}`);
    const { log, lines } = recordingLog();
    const backend = await htpasswdBackendWith(createHashChecks(), { file: "users" }, { baseDirectory: directory, log });
    await backend.close?.();
    expect(lines).toEqual([
      expect.objectContaining({
        level: "warn",
        message: "every failed login takes as long as checking the most expensive hash in the file",
      }),
    ]);
  });
});
