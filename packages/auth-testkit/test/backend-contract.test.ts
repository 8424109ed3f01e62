import {
  type AuthBackend,
  type Authenticated,
  type AuthRequest,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  type Identity,
} from "@registry-gate/auth";
import { expect, test } from "vitest";
import { type BackendFixture, backendContract } from "../src/index.ts";
import { fixtureOf } from "./honest-backend.ts";

async function brokenCases(fixture: BackendFixture): Promise<string[]> {
  const outcomes = await Promise.all(
    backendContract(fixture).map(async ({ name, run }) =>
      (await run().then(
        () => true,
        () => false,
      ))
        ? []
        : [name],
    ),
  );
  return outcomes.flat();
}

test("a backend that keeps every promise passes", async () => {
  for (const { run } of backendContract(fixtureOf((backend) => backend))) await run();
});

/** Changes the answers of a backend, which looks nobody up. */
function answering(change: (request: AuthRequest, answer: () => Promise<AuthResult>) => Promise<AuthResult>) {
  return (backend: AuthBackend): AuthBackend => {
    const { lookup: _, ...rest } = backend;
    return { ...rest, authenticate: (request) => change(request, () => backend.authenticate(request)) };
  };
}

type Lookup = NonNullable<AuthBackend["lookup"]>;

/** Changes whom a backend finds. */
function finding(change: (found: Promise<Identity | undefined>, ...asked: Parameters<Lookup>) => ReturnType<Lookup>) {
  return (backend: AuthBackend): AuthBackend => ({
    ...backend,
    lookup: (subject, signal) => change(Promise.resolve(backend.lookup?.(subject, signal)), subject, signal),
  });
}

const letIn = (username: string, backend: string): Authenticated => ({
  status: "authenticated",
  identity: { subject: username, username, groups: [], backend },
});

const usernameIn = ({ credentials }: AuthRequest): string =>
  credentials?.scheme === "basic" ? credentials.username : "";

const spoilt: Record<string, (backend: AuthBackend, context: BackendContext) => AuthBackend> = {
  "signs its users in, by the name and with the groups that are theirs": answering(async (_, answer) => {
    const result = await answer();
    return result.status === "authenticated" ? { ...result, identity: { ...result.identity, groups: [] } } : result;
  }),
  "gives an identity that is complete and names the backend": answering(async (_, answer) => {
    const result = await answer();
    return result.status === "authenticated" ? { ...result, identity: { ...result.identity, backend: "" } } : result;
  }),
  "rejects a wrong password with a reason, as a value": answering(async (_, answer) => {
    const result = await answer();
    return result.status === "rejected" ? { status: "abstained" } : result;
  }),
  "does not authenticate unknown users, as a value": answering(async (request, answer) => {
    if (usernameIn(request) === "stranger" && !isEmpty(request)) throw new TypeError("no such user");
    return answer();
  }),
  "does not authenticate with an empty password": (backend, { id }) =>
    answering(async (request, answer) => (isEmpty(request) ? letIn(usernameIn(request), id) : answer()))(backend),
  "abstains where nothing concerns it": answering(async (request, answer) =>
    request.credentials?.scheme === "bearer" ? { status: "rejected", reason: "no password" } : answer(),
  ),
  "does not authenticate hostile names, and does not throw": answering(async (request, answer) => {
    if (usernameIn(request).includes("\u0000")) throw new TypeError("a null character");
    return answer();
  }),
  "ends promptly when the request is aborted": (backend) => {
    const deaf = new AbortController().signal;
    return { ...backend, authenticate: (request) => backend.authenticate({ ...request, signal: deaf }) };
  },
  "keeps fifty requests at the same time apart": (backend) => {
    let latest = "";
    return answering(async (request, answer) => {
      latest = usernameIn(request);
      const result = await answer();
      return result.status === "authenticated"
        ? { ...result, identity: { ...result.identity, username: latest } }
        : result;
    })(backend);
  },
  "looks up the users that it has authenticated, as a login would give them, if it does": finding(async (found) => {
    const identity = await found;
    return identity && { ...identity, groups: [] };
  }),
  "gives the same revision until a password changes and another one after it, if it gives any": finding(
    async (found, subject) => {
      const identity = await found;
      return identity && { ...identity, revision: `password-${subject}-0` };
    },
  ),
  "looks up no unknown user, as a value, if it does": finding(
    async (found, subject) => (await found) ?? letIn(subject, "backend-under-test").identity,
  ),
  "reveals no secret in results, errors and logs": (backend, { log }) =>
    answering(async (request, answer) => {
      log.debug({ credentials: request.credentials }, "asked");
      return answer();
    })(backend),
  "names the headers that it reads in lower case, authorization left out": (backend) => ({
    ...backend,
    credentialHeaders: ["X-Forwarded-User"],
  }),
  "gives a challenge that can be written, if any": (backend) => ({
    ...backend,
    challenge: () => ({ scheme: "Basic", parameters: { realm: "two\nlines" } }),
  }),
  "finds itself healthy": (backend, { id }) => ({
    ...backend,
    check: async () => {
      throw new BackendUnavailableError(id, "never well");
    },
  }),
  "diagnoses a good login and a wrong one as what they are, if it does, and reveals no secret": (backend) => ({
    ...backend,
    async *diagnose(login, signal) {
      for await (const step of backend.diagnose?.(login, signal) ?? []) {
        yield { ...step, details: { ...step.details, tried: [login?.password ?? ""] } };
      }
    },
  }),
  "has the same of its users in its roster as in a login, if it has one": (backend) => ({
    ...backend,
    roster: () => ({ users: new Set(), groups: new Set(), identityOf: () => undefined }),
  }),
  "closes, and closes again": (backend) => {
    let closed = false;
    return {
      ...backend,
      async close() {
        if (closed) throw new Error("already closed");
        closed = true;
      },
    };
  },
  "throws BackendUnavailableError, and nothing else, when it cannot find out": answering((_, answer) =>
    answer().catch((error: unknown) => {
      // Given up by the client is not down.
      if (error instanceof Error && error.message.includes("nobody waits")) throw error;
      return { status: "rejected", reason: "the directory is down" };
    }),
  ),
};

function isEmpty({ credentials }: AuthRequest): boolean {
  return credentials?.scheme === "basic" && credentials.password === "";
}

test("there is a broken backend for every case", () => {
  const cases = backendContract(fixtureOf((backend) => backend)).map(({ name }) => name);
  expect(Object.keys(spoilt).sort()).toEqual([...cases].sort());
});

test.each(Object.entries(spoilt))("what breaks one promise fails that case alone: %s", async (name, spoil) => {
  expect(await brokenCases(fixtureOf(spoil))).toEqual([name]);
});

test.each<[broken: string, name: string, spoil: (backend: AuthBackend) => AuthBackend]>([
  [
    "says that a user is gone when it cannot find out",
    "throws BackendUnavailableError, and nothing else, when it cannot find out",
    // Given up by the caller is not down.
    finding((found, _, signal) => found.catch((error) => (signal.aborted ? Promise.reject(error) : undefined))),
  ],
  [
    "says that a user is gone when the lookup is given up",
    "ends promptly when the request is aborted",
    finding((found, _, signal) => found.catch((error) => (signal.aborted ? undefined : Promise.reject(error)))),
  ],
  [
    "does not give a lookup up",
    "ends promptly when the request is aborted",
    (backend) => {
      const deaf = new AbortController().signal;
      const lookup: Lookup = async (subject) => backend.lookup?.(subject, deaf);
      return { ...backend, lookup };
    },
  ],
])("a backend that %s fails the case for it alone", async (_, name, spoil) => {
  expect(await brokenCases(fixtureOf(spoil))).toEqual([name]);
});

test("requires changePassword for a backend with revisions", async () => {
  const { changePassword: _, ...fixture } = fixtureOf((backend) => backend);
  expect(await brokenCases(fixture)).toEqual([
    "gives the same revision until a password changes and another one after it, if it gives any",
  ]);
});

test("takes a backend without revisions", async () => {
  const { changePassword: _, ...fixture } = fixtureOf((backend) => {
    const { authenticate, lookup } = backend;
    const plain = ({ revision: _, ...identity }: Identity): Identity => identity;
    return {
      ...backend,
      async authenticate(request) {
        const result = await authenticate(request);
        return result.status === "authenticated" ? { ...result, identity: plain(result.identity) } : result;
      },
      async lookup(subject, signal) {
        const identity = await lookup?.(subject, signal);
        return identity && plain(identity);
      },
    };
  });
  expect(await brokenCases(fixture)).toEqual([]);
});

test("a backend that is never out has no case for it", () => {
  const { outage: _, ...fixture } = fixtureOf((backend) => backend);
  expect(backendContract(fixture).map(({ name }) => name)).not.toContainEqual(expect.stringMatching(/^throws Backend/));
});
