import type { AuthBackend, BackendContext } from "@registry-gate/auth";
import { backendContract, basicAsk, bearerAsk, pluginContract } from "@registry-gate/auth-testkit";
import { afterAll, test } from "vitest";
import { accessTokenBackend, createAccessTokens, plugin } from "../src/index.ts";
import { createToken } from "../src/token-text.ts";
import { type MemoryState, memoryState } from "./memory-state.ts";
import { alice, bob, openPeople } from "./people.ts";

const people = await openPeople();
afterAll(() => people.close());
const state = memoryState();
const manage = createAccessTokens({ state, backends: [people.users] });
const [ofAlice, ofBob, ofRobot] = await Promise.all([
  manage.create({ owner: alice, name: "laptop", expires: "1h", scopes: ["repository:team/**:pull,push"] }),
  manage.create({ owner: bob, name: "laptop", expires: "1h" }),
  manage.create({ owner: { name: "ci", groups: ["builders"] }, name: "build", expires: "1h" }),
]);
const [nobodys, another, third] = [createToken(), createToken(), createToken()];
const states = new WeakMap<AuthBackend, MemoryState>();

/** Backends that read the same tokens, each by a store that can fail for itself. */
function open(context: BackendContext): AuthBackend {
  const own = memoryState();
  const reading = { ...own, get: async (key: string) => (await own.get(key)) ?? state.get(key) };
  const backend = accessTokenBackend({}, { ...context, state: reading, sibling: () => people.users });
  states.set(backend, own);
  return backend;
}

function inMode(mode: MemoryState["mode"]) {
  return async (backend: AuthBackend) => {
    const own = states.get(backend);
    if (own === undefined) throw new Error("the backend is not one of these");
    own.mode = mode;
    return async () => {
      own.mode = "working";
    };
  };
}

const cases = backendContract({
  open: async (context) => open(context),
  users: [
    { ask: basicAsk("alice", ofAlice.token), username: "alice", groups: ["pushers", "readers"] },
    { ask: basicAsk("anybody", ofBob.token), username: "bob", groups: ["readers"] },
    { ask: bearerAsk(ofAlice.token), username: "alice", groups: ["pushers"] },
    { ask: bearerAsk(ofRobot.token), username: "robot$ci", groups: ["builders"] },
  ],
  wrong: [basicAsk("alice", nobodys), bearerAsk(another)],
  unknown: [basicAsk("carol", third)],
  foreign: [basicAsk("alice", "a password"), bearerAsk("a.signed.token"), basicAsk("alice", "rgr_a refresh token")],
  hostile: (name) => basicAsk(name, nobodys),
  secrets: [ofAlice.token, ofBob.token, ofRobot.token, nobodys, another, third],
  outage: inMode("failing"),
  silence: inMode("silent"),
});

for (const { name, run } of cases) test(`the backend ${name}`, run);

const pluginCases = pluginContract({
  plugin: { ...plugin, open: (options, context) => plugin.open(options, { ...context, state }) },
  options: () => ({ maxTtl: "90d", recheckOwner: "5m", requireExpiry: false }),
  refused: [
    {
      options: { maxTtl: "long", recheckOwner: 0, requireExpiry: "no" },
      paths: [["maxTtl"], ["recheckOwner"], ["requireExpiry"]],
    },
  ],
});

for (const { name, run } of pluginCases) test(`the plugin ${name}`, run);
