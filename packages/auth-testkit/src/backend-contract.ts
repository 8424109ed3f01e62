import assert from "node:assert/strict";
import type { Access, Authenticated, AuthResult, DiagnosisStep, Identity } from "@registry-gate/auth";
import { type ContractCase, caseOf, givenId, type Opened, promptly } from "./case.ts";
import type { BackendFixture, KnownUser } from "./fixture.ts";
import { hostileNames } from "./hostile-names.ts";
import { everythingIn } from "./recording-log.ts";
import { type Ask, basicAsk } from "./request.ts";

/**
 * The contract of an authentication backend, as tests for any runner.
 *
 * @example
 * ```ts
 * for (const { name, run } of backendContract(fixture)) test(name, run);
 * ```
 */
export function backendContract(fixture: BackendFixture): readonly ContractCase[] {
  const { users, wrong, unknown, foreign, outage, silence } = fixture;
  const hostile = fixture.hostile ?? ((name) => basicAsk(name, "no password of anybody"));
  const of = (name: string, check: (opened: Opened) => Promise<void>): ContractCase => caseOf(fixture, name, check);

  const cases = [
    of("signs its users in, by the name and with the groups that are theirs", async ({ ask }) => {
      for (const user of users) assertIs(await ask(user.ask), user);
    }),

    of("gives an identity that is complete and names the backend", async ({ backend, ask }) => {
      assert.equal(backend.id, givenId, "the backend has the id that it was given");
      for (const user of users) {
        const result = await ask(user.ask);
        if (result.status !== "authenticated") continue;
        assertWellFormed(result);
      }
    }),

    of("rejects a wrong password with a reason, as a value", async ({ ask }) => {
      for (const request of wrong) {
        const result = await ask(request);
        assert.equal(result.status, "rejected");
        assert.equal(typeof result.reason, "string");
        assert.notEqual(result.reason, "");
      }
    }),

    of("does not authenticate unknown users, as a value", async ({ ask }) => {
      for (const request of unknown) assertNobody(await ask(request));
    }),

    of("does not authenticate with an empty password", async ({ ask }) => {
      for (const request of [...users.map((user) => user.ask), ...unknown]) {
        if (request.credentials?.scheme !== "basic") continue;
        assertNobody(await ask({ ...request, credentials: { ...request.credentials, password: "" } }));
      }
    }),

    of("abstains where nothing concerns it", async ({ ask }) => {
      for (const request of [{}, ...foreign]) assert.deepEqual(await ask(request), { status: "abstained" });
    }),

    of("does not authenticate hostile names, and does not throw", async ({ ask }) => {
      for (const name of hostileNames) {
        const result = await ask(hostile(name)).catch((error: unknown) => {
          assert.fail(`${JSON.stringify(name.slice(0, 40))} made it throw ${String(error)}`);
        });
        assert.notEqual(result.status, "authenticated", `it let ${JSON.stringify(name.slice(0, 40))} in`);
      }
    }),

    of("ends promptly when the request is aborted", async (opened) => {
      const subject = await subjectOf(opened, users[0]);
      const restore = await silence?.(opened.backend);
      try {
        await assertLookupEnds(opened, subject, AbortSignal.abort());
        await assertLookupEnds(opened, subject, AbortSignal.timeout(50));
        await assertEnds(opened, users[0].ask, AbortSignal.abort());
        const leaving = new AbortController();
        const answer = assertEnds(opened, users[0].ask, leaving.signal);
        setTimeout(() => leaving.abort(), 50);
        await answer;
      } finally {
        await restore?.();
      }
    }),

    of("keeps fifty requests at the same time apart", async ({ ask }) => {
      const kinds = [...users.map((user) => user.ask), ...wrong, ...unknown];
      const outcome = (request: Ask): Promise<string> => ask(request).then(outcomeOf, () => "an error");
      const alone: string[] = [];
      for (const request of kinds) alone.push(await outcome(request));
      const together = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const kind = index % kinds.length;
          return [kind, await outcome(kinds[kind] ?? {})] as const;
        }),
      );
      for (const [kind, result] of together) assert.equal(result, alone[kind], "it is as when asked alone");
    }),

    of(
      "looks up the users that it has authenticated, as a login would give them, if it does",
      async ({ backend, ask }) => {
        if (backend.lookup === undefined) return;
        for (const user of users) {
          const result = await ask(user.ask);
          assert.equal(result.status, "authenticated", `${user.username} is let in`);
          const found = await backend.lookup(result.identity.subject, AbortSignal.timeout(30_000));
          assert.deepEqual(comparable(found), comparable(result.identity), `${user.username} is found as by a login`);
        }
      },
    ),

    of("gives the same revision until a password changes and another one after it, if it gives any", async (opened) => {
      const { backend, ask } = opened;
      const result = await ask(users[0].ask);
      if (result.status !== "authenticated" || result.identity.revision === undefined) return;
      const { subject, revision } = result.identity;
      assert.match(revision, /^[\w+/=.:-]{16,128}$/, "a revision is 16 to 128 characters of plain ASCII");
      const again = await ask(users[0].ask);
      assert.equal(again.status === "authenticated" && again.identity.revision, revision, "a login keeps the revision");
      if (backend.lookup === undefined) return;
      const lookUp = () => backend.lookup?.(subject, AbortSignal.timeout(30_000));
      assert.equal((await lookUp())?.revision, revision, "a lookup gives the revision of the login");
      assert.ok(fixture.changePassword !== undefined, "the fixture of a backend with revisions has changePassword");
      const restore = await fixture.changePassword(backend);
      try {
        const found = await lookUp();
        assert.ok(found !== undefined, "a user with another password is found");
        assert.ok(found.revision !== undefined, "a user with another password has a revision");
        assert.notEqual(found.revision, revision, "another password gives another revision");
      } finally {
        await restore();
      }
    }),

    of("looks up no unknown user, as a value, if it does", async ({ backend, ask }) => {
      if (backend.lookup === undefined) return;
      const result = await ask(users[0].ask);
      const subject = result.status === "authenticated" ? result.identity.subject : users[0].username;
      for (const other of ["", `${subject}x`, `x${subject}`, `${subject}*`, "no user at all", ...hostileNames]) {
        const found: Identity | undefined = await backend
          .lookup(other, AbortSignal.timeout(30_000))
          .catch((error: unknown) => {
            assert.fail(`${JSON.stringify(other.slice(0, 40))} made it throw ${String(error)}`);
          });
        assert.equal(found, undefined, `it found ${JSON.stringify(other.slice(0, 40))}`);
      }
    }),

    of("reveals no secret in results, errors and logs", async (opened) => {
      const told: unknown[] = [];
      const listen = async (request: Ask): Promise<void> => {
        told.push(await opened.ask(request).catch((error: unknown) => error));
      };
      for (const { ask } of users) await listen(ask);
      for (const request of [...wrong, ...unknown, ...foreign]) await listen(request);
      const restore = await outage?.(opened.backend);
      for (const request of [users[0].ask, wrong[0]]) await listen(request);
      if (restore !== undefined) await restore();
      const text = `${told.map(everythingIn).join("\n")}\n${opened.log.text()}`;
      for (const secret of secretsOf(fixture)) {
        assert.ok(!text.includes(secret), `something told the secret that begins with ${secret.slice(0, 3)}`);
      }
    }),

    of("names the headers that it reads in lower case, authorization left out", async ({ backend }) => {
      for (const name of backend.credentialHeaders ?? []) {
        assert.match(name, /^[a-z0-9_-]+$/, "a header is named in lower case");
        assert.notEqual(name, "authorization");
      }
    }),

    of("gives a challenge that can be written, if any", async ({ backend }) => {
      const accesses: readonly Access[] = [{ type: "repository", name: "team/app", action: "pull" }];
      const origin = "https://registry.example.com";
      for (const error of [undefined, "invalid_token", "insufficient_scope"] as const) {
        const challenge = backend.challenge?.({ accesses, origin, ...(error !== undefined && { error }) });
        if (challenge === undefined) return;
        assert.match(challenge.scheme, /^[A-Za-z][A-Za-z0-9-]*$/);
        for (const [name, value] of Object.entries(challenge.parameters)) {
          assert.match(name, /^[a-z_]+$/);
          assert.match(value, /^[\x20-\x7e]*$/, "a parameter is plain text on one line");
        }
      }
    }),

    of("finds itself healthy", async ({ backend }) => {
      await backend.check?.(AbortSignal.timeout(30_000));
    }),

    of(
      "diagnoses a good login and a wrong one as what they are, if it does, and reveals no secret",
      async ({ backend }) => {
        if (backend.diagnose === undefined) return;
        for (const [request, good] of [[users[0].ask, true] as const, ...wrong.map((ask) => [ask, false] as const)]) {
          if (request.credentials?.scheme !== "basic") continue;
          const steps: DiagnosisStep[] = [];
          const diagnosis = backend.diagnose(request.credentials, AbortSignal.timeout(30_000));
          for await (const step of diagnosis) steps.push(step);
          const letIn = steps.some(({ outcome, about }) => outcome === "ok" && about === "login");
          assert.equal(letIn, good, "a step says whether the login would be let in");
          for (const { outcome, details } of steps) {
            if (outcome === "failed") assert.equal(typeof details.reason, "string", "a step that failed has a reason");
          }
          assert.equal(
            steps.some(({ outcome }) => outcome === "failed"),
            !good,
            "a step fails where the login does, and only then",
          );
          const text = everythingIn(steps);
          for (const secret of secretsOf(fixture)) assert.ok(!text.includes(secret), "a step told a secret");
        }
      },
    ),

    of("has the same of its users in its roster as in a login, if it has one", async ({ backend, ask }) => {
      const roster = backend.roster?.();
      if (roster === undefined) return;
      for (const user of users) {
        const result = await ask(user.ask);
        if (result.status !== "authenticated") continue;
        const { subject, username, groups } = result.identity;
        assert.ok(roster.users.has(username), "the roster has the user");
        for (const group of groups) assert.ok(roster.groups.has(group), "the roster has the user's groups");
        const found = roster.identityOf(username);
        assert.deepEqual({ subject: found?.subject, groups: found?.groups }, { subject, groups });
      }
      assert.equal(roster.identityOf("nobody is called so"), undefined, "the roster has nobody else");
    }),

    of("closes, and closes again", async ({ backend }) => {
      await backend.close?.();
      await backend.close?.();
    }),
  ];
  if (outage !== undefined) {
    cases.push(
      of("throws BackendUnavailableError, and nothing else, when it cannot find out", async (opened) => {
        const { backend, ask } = opened;
        const subject = await subjectOf(opened, users[0]);
        const restore = await outage(backend);
        try {
          for (const request of [...users.map((user) => user.ask), ...wrong]) {
            await assert.rejects(ask(request), isUnavailable);
          }
          if (backend.lookup !== undefined && subject !== undefined) {
            await assert.rejects(backend.lookup(subject, AbortSignal.timeout(30_000)), isUnavailable);
          }
          if (backend.check !== undefined) {
            await assert.rejects(backend.check(AbortSignal.timeout(30_000)), isUnavailable);
          }
        } finally {
          await restore();
        }
      }),
    );
  }
  return cases;
}

function assertIs(result: AuthResult, user: KnownUser): void {
  assert.equal(result.status, "authenticated", `${user.username} is let in`);
  assert.equal(result.identity.username, user.username);
  for (const group of user.groups) assert.ok(result.identity.groups.includes(group), `${user.username} is in ${group}`);
}

function outcomeOf(result: AuthResult): string {
  return result.status === "authenticated" ? `let in as ${result.identity.username}` : result.status;
}

function assertNobody(result: AuthResult): void {
  assert.ok(result.status === "rejected" || result.status === "abstained", `nobody is let in, but: ${result.status}`);
}

function assertWellFormed({ identity, expiresAt, grants }: Authenticated): void {
  assert.equal(identity.backend, givenId, "an identity names the backend that vouches for it");
  assert.ok(typeof identity.subject === "string" && identity.subject !== "", "an identity has a subject");
  assert.ok(typeof identity.username === "string" && identity.username !== "", "an identity has a name");
  assert.ok(Array.isArray(identity.groups), "an identity has a list of groups");
  for (const group of identity.groups) assert.ok(typeof group === "string" && group !== "", "a group has a name");
  assert.equal(new Set(identity.groups).size, identity.groups.length, "a group is named once");
  for (const { type, name, action } of grants ?? []) {
    assert.ok(type === "repository" || type === "registry", "a grant is of a repository or of the registry");
    assert.ok(typeof name === "string" && name !== "", "a grant names what it is of");
    assert.ok(["pull", "push", "delete", "*"].includes(action), "a grant has an action");
  }
  if (expiresAt !== undefined) assert.ok(Number.isFinite(expiresAt) && expiresAt > Date.now(), "it has not expired");
}

/** In the same order, because that of groups means nothing. */
function comparable(identity: Identity | undefined): unknown {
  if (identity === undefined) return undefined;
  const { groups, ambiguousGroups = [] } = identity;
  return { ...identity, groups: [...groups].sort(), ambiguousGroups: [...ambiguousGroups].sort() };
}

async function subjectOf({ backend, ask }: Opened, user: KnownUser): Promise<string | undefined> {
  if (backend.lookup === undefined) return undefined;
  const result = await ask(user.ask);
  return result.status === "authenticated" ? result.identity.subject : undefined;
}

/** The user may have been found, or the backend says that it could not find out; the user was not gone. */
async function assertLookupEnds({ backend }: Opened, subject: string | undefined, signal: AbortSignal): Promise<void> {
  if (backend.lookup === undefined || subject === undefined) return;
  const ending = backend.lookup(subject, signal).then(
    (found) => assert.notEqual(found, undefined, "a lookup that was given up says that the user is gone"),
    (error: unknown) => {
      if (error !== signal.reason) assertUnavailable(error);
    },
  );
  await assertPrompt(ending);
}

async function assertPrompt<T>(ending: Promise<T>): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const clock = setTimeout(() => {
    timer.reject(new assert.AssertionError({ message: `it has not ended within ${promptly} ms` }));
  }, promptly);
  try {
    return await Promise.race([ending, timer.promise]);
  } finally {
    clearTimeout(clock);
  }
}

/** The user may have been let in, or the backend says that it could not find out; the password was not wrong. */
async function assertEnds({ ask }: Opened, request: Ask, signal: AbortSignal): Promise<void> {
  const ending = ask(request, signal).catch((error: unknown) => {
    if (error !== signal.reason) assertUnavailable(error);
    return undefined;
  });
  const outcome = await assertPrompt(ending);
  if (typeof outcome === "object") assert.equal(outcome.status, "authenticated");
}

/** Judged by its code: the backend may have been built with another copy of the contract. */
function isUnavailable(error: unknown): true {
  assertUnavailable(error);
  return true;
}

function assertUnavailable(error: unknown): void {
  assert.ok(error instanceof Error && "code" in error, `it threw ${String(error)}`);
  assert.equal(error.code, "BACKEND_UNAVAILABLE");
  assert.ok("backend" in error && error.backend === givenId, "the error names the backend");
}

/** The secrets, and the headers that hold them. */
function secretsOf({ secrets, users, wrong }: BackendFixture): string[] {
  const asks = [...users.map((user) => user.ask), ...wrong];
  const encoded = asks.flatMap(({ credentials }) =>
    credentials?.scheme === "basic"
      ? [Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")]
      : [],
  );
  return [...secrets, ...encoded];
}
