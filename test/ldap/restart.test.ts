import { describe, expect, it, onTestFinished } from "vitest";
import { startSlapd } from "../support/slapd.ts";
import { openBackend, outcomeOf, signIn } from "./login.ts";
import { openldap } from "./openldap.ts";

describe("a directory that is started again under load", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)(
    "by %s loses no login but those whose password is under way",
    async (signal) => {
      const server = await startSlapd();
      onTestFinished(() => server.close());
      const { backend, lines } = await openBackend({
        ...openldap(server),
        timeout: 5000,
        connectTimeout: 5000,
        pool: { size: 8 },
      });
      let stopping = false;
      const outcomes = new Map<string, number>();
      const worker = async (index: number): Promise<void> => {
        const username = `load${String(index).padStart(2, "0")}`;
        for (let after = 0; after < 5; ) {
          if (stopping) after++;
          const outcome = await outcomeOf(signIn(backend, username, `${username}pw`));
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      };
      const workers = Array.from({ length: 64 }, (_, index) => worker(index));
      await expect.poll(() => outcomes.get("authenticated") ?? 0, { timeout: 20_000 }).toBeGreaterThan(256);
      server.kill(signal);
      await server.stop();
      // Somebody has found the door closed.
      await expect.poll(() => lines.some(({ message }) => message === "LDAP server marked down")).toBe(true);
      await server.start();
      stopping = true;
      await Promise.all(workers);
      const failed = [...outcomes].filter(([outcome]) => outcome !== "authenticated");
      // Lost on the way: not one was turned away because there was no server.
      for (const [outcome] of failed) expect(outcome).toMatch(/^unavailable: ldap: (?:the connection|the server has) /);
      // One password at a time is under way on each of the connections for signing in; a server that is going down may
      // take in new ones for a moment.
      expect(failed.reduce((sum, [, times]) => sum + times, 0)).toBeLessThanOrEqual(16);
      expect(outcomes.get("authenticated")).toBeGreaterThan(64 * 5);
    },
  );
});
