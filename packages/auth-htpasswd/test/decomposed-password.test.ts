import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { htpasswdBackendWith } from "../src/backend.ts";
import { createHashChecks, type HashChecks } from "../src/hash-checks.ts";
import { cheapEntry, run, scratchDirectory, signIn } from "./fixtures.ts";

/** As browsers and docker send it, and as it is in file names of macOS. */
const composed = "pässwörd".normalize("NFC");
const decomposed = composed.normalize("NFD");

interface Checked {
  readonly kind: string;
  readonly cost: number;
  readonly password: string;
}

async function openCounted(...entries: readonly string[]) {
  const directory = await scratchDirectory();
  await writeFile(join(directory, "users"), entries.join("\n"));
  const done: Checked[] = [];
  const real = createHashChecks();
  const counted: HashChecks = {
    matches(hash, password) {
      done.push({ kind: hash.kind, cost: hash.cost, password });
      return real.matches(hash, password);
    },
    close: () => real.close(),
  };
  const backend = await htpasswdBackendWith(counted, { file: "users" }, { baseDirectory: directory });
  onTestFinished(() => backend.close?.());
  return { backend, done };
}

describe("a hash of a decomposed password", () => {
  it.each([
    ["bcrypt", ["-niBC", "4"]],
    ["MD5 crypt", ["-nim"]],
    ["SHA-512 crypt", ["-ni5", "-r", "1000"]],
    ["SHA-1", ["-nis"]],
  ])("of %s is that of the composed one that clients send", async (_, parameters) => {
    const entry = (password: string, user: string) => run("htpasswd", [...parameters, user], password);
    const { backend } = await openCounted(entry(decomposed, "mac"), entry(composed, "linux"));
    for (const user of ["mac", "linux"]) {
      expect((await signIn(backend, user, composed)).status).toBe("authenticated");
      expect((await signIn(backend, user, "passwörd")).status).toBe("rejected");
      expect((await signIn(backend, user, "passwörd".normalize("NFD"))).status).toBe("rejected");
      expect((await signIn(backend, user, "password")).status).toBe("rejected");
    }
  });

  it("costs others nothing: a password with one form is checked once, and the composed form first", async () => {
    const { backend, done } = await openCounted(cheapEntry("alice", "secret"), cheapEntry("linux", composed));
    await signIn(backend, "alice", "wrong");
    expect(done).toHaveLength(1);
    done.length = 0;
    await signIn(backend, "linux", composed);
    expect(done).toEqual([{ kind: "bcrypt", cost: 4, password: composed }]);
  });

  it("does not tell who exists: a failed login does the same for everybody", async () => {
    const entries = [
      cheapEntry("four", "x"),
      run("htpasswd", ["-niBC", "6", "six"], "x"),
      run("htpasswd", ["-nim", "md5"], "x"),
      run("htpasswd", ["-ni5", "-r", "1500", "sha512"], "x"),
    ];
    const { backend, done } = await openCounted(...entries);
    // Of the last, bcrypt takes the composed form alone: the other has more than 72 bytes.
    for (const password of [composed, "wrong", "ä".repeat(30)]) {
      const work = async (user: string) => {
        done.length = 0;
        await signIn(backend, user, password);
        const total = (kind: string, form: string) =>
          done
            .filter((check) => check.kind === kind && check.password === form)
            .reduce((sum, { cost }) => sum + (kind === "bcrypt" ? 2 ** cost : Math.max(cost, 1)), 0);
        return ["bcrypt", "md5-crypt", "sha512-crypt"].map((kind) => [
          kind,
          total(kind, password),
          total(kind, password.normalize("NFD")),
        ]);
      };
      const unknown = await work("nobody");
      for (const user of ["four", "six", "md5", "sha512"]) expect(await work(user), user).toEqual(unknown);
    }
  });
});
