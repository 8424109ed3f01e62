import type { Client, ClientUser, Outcome } from "./client.ts";
import { type Remembered, rememberedIn } from "./remembered.ts";
import { passwords } from "./scene.ts";

/** One thing that a person tries with a client. What is pushed has the trial in its name, and so is new in each. */
export interface Step {
  /** The head of its column in the table. */
  readonly title: string;
  readonly kind: "login" | "pull" | "push";
  /** What the rules say to it: it is allowed, needs a login first, or is denied to whoever tries it. */
  readonly verdict: Verdict;
  /** Whether it is done by nobody in particular. */
  readonly anonymous: boolean;
  /** What it is about; `undefined` for a login. */
  repository(client: Client, trial: string): string | undefined;
  run(people: People, client: Client, trial: string): Promise<Outcome>;
}

export type Verdict = "allowed" | "login" | "denied";

/** Each with a home of their own. */
export interface People {
  /** A writer, who has not logged in at first. */
  readonly alice: ClientUser;
  readonly reader: ClientUser;
}

const notes: Readonly<Record<Remembered, string>> = {
  "the password": "yes, keeps the password",
  "a token": "yes, keeps a token",
  nothing: "with each command",
};

/** In their order. */
export const steps: readonly Step[] = [
  pull({ title: "pull `public/**` without a login", prefix: "public", verdict: "allowed", anonymous: true }),
  push({ title: "push there without a login", prefix: "public", verdict: "login", anonymous: true }),
  pull({ title: "pull `team/**` without a login", prefix: "team", verdict: "login", anonymous: true }),
  {
    title: "log in",
    kind: "login",
    verdict: "allowed",
    anonymous: false,
    repository: () => undefined,
    async run({ alice }) {
      const outcome = await alice.login("alice", passwords.alice);
      return { ...outcome, note: notes[await rememberedIn(alice.home, "alice", passwords.alice)] };
    },
  },
  pull({ title: "pull `team/**`", prefix: "team", verdict: "allowed", anonymous: false }),
  push({ title: "push there", prefix: "team", verdict: "allowed", anonymous: false }),
  push(
    { title: "push there as `reader`", prefix: "team/by-reader", verdict: "denied", anonymous: false },
    readerLogsIn,
  ),
  pull({ title: "pull it after a logout", prefix: "team", verdict: "login", anonymous: true }, aliceLogsOut),
];

/** Does what comes before a step, and says who does the step. */
type Before = (people: People) => Promise<ClientUser>;

type Tried = Pick<Step, "title" | "verdict" | "anonymous"> & { readonly prefix: string };

function pull({ prefix, ...step }: Tried, before: Before = asAlice): Step {
  const repository = ({ content }: Client): string => `${prefix}/${content}`;
  const run: Step["run"] = async (people, client) => (await before(people)).pull(repository(client));
  return { ...step, kind: "pull", repository, run };
}

type Pushed = (client: Client, trial: string) => string;

function push({ prefix, ...step }: Tried, before: Before = asAlice): Step {
  const repository: Pushed = ({ name }, trial) => `${prefix}/${trial}/${name}`;
  const run: Step["run"] = async (people, client, trial) => (await before(people)).push(repository(client, trial));
  return { ...step, kind: "push", repository, run };
}

async function asAlice({ alice }: People): Promise<ClientUser> {
  return alice;
}

async function aliceLogsOut({ alice }: People): Promise<ClientUser> {
  succeed(await alice.logout(), "log out");
  return alice;
}

async function readerLogsIn({ reader }: People): Promise<ClientUser> {
  succeed(await reader.login("reader", passwords.reader), "log in");
  return reader;
}

function succeed({ ok, words }: Outcome, what: string): void {
  if (!ok) throw new Error(`cannot ${what}: ${words}`);
}
