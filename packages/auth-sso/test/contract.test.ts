import { ssoHeaderBackend, ssoHeaderPlugin, ssoJwtBackend, ssoJwtPlugin } from "@registry-gate/auth-sso";
import { type Ask, backendContract, basicAsk, bearerAsk, pluginContract } from "@registry-gate/auth-testkit";
import { test } from "vitest";
import { type KeyServer, keyServer, signingKey, tokenOf } from "./issuer.ts";

const proxy = { address: "10.1.0.7", unixSocket: false };
const secret = "the proxy's canary".replaceAll(" ", "-");
const headerOptions = {
  trustedProxies: ["10.1.0.0/16"],
  userHeader: "X-Forwarded-User",
  groupsHeader: "X-Forwarded-Groups",
  groupsSeparator: ",",
  sharedSecret: { header: "X-Gate-Secret", value: secret },
};

function fromProxy(user: string, groups: string, shown = secret): Ask {
  const headers = { "x-forwarded-user": [user], "x-forwarded-groups": [groups], "x-gate-secret": [shown] };
  return { headers, peer: proxy };
}

const headerCases = backendContract({
  open: (context) => ssoHeaderBackend(headerOptions, context),
  users: [
    { ask: fromProxy("alice", "pushers, readers"), username: "alice", groups: ["pushers", "readers"] },
    { ask: fromProxy("bob", "readers"), username: "bob", groups: ["readers"] },
  ],
  wrong: [fromProxy("alice", "pushers", "nobody's-canary"), fromProxy("", "pushers"), fromProxy("alice, bob", "")],
  unknown: [{ ...fromProxy("alice", "pushers"), peer: { address: "192.0.2.1", unixSocket: false } }],
  foreign: [basicAsk("alice", "alice's canary"), bearerAsk("a token"), { peer: proxy }],
  // From the proxy itself every name is somebody's: there a hostile one stands beside the header.
  hostile: (name) => ({ ...fromProxy("alice", "pushers"), ...basicAsk(name, "alice's canary") }),
  secrets: [secret, "nobody's-canary", "alice's canary"],
});
for (const { name, run } of headerCases) test(`the header backend ${name}`, run);

const headerPluginCases = pluginContract({
  plugin: ssoHeaderPlugin,
  options: () => headerOptions,
  refused: [
    { options: {}, paths: [["trustedProxies"]] },
    {
      options: { trustedProxies: ["0.0.0.0/0", "x"], groupsHeader: "X-Groups" },
      paths: [["trustedProxies", 0], ["trustedProxies", 1], ["userHeader"], ["groupsSeparator"]],
    },
    {
      options: { ...headerOptions, sharedSecret: { header: "X-S", valueFile: "/no/such/file" } },
      paths: [["sharedSecret", "valueFile"]],
    },
  ],
});
for (const { name, run } of headerPluginCases) test(`the header plugin ${name}`, run);

const [key, stranger] = await Promise.all([signingKey("k1"), signingKey("k1")]);
const issuer = { issuer: "https://idp.example.com", audience: "registry", usernameClaim: "preferred_username" };
const tokens = {
  alice: await tokenOf(key, { groups: ["pushers", "readers"] }),
  bob: await tokenOf(key, { preferred_username: "bob", sub: "user-2", groups: ["readers"] }),
  forged: await tokenOf(stranger),
  unsigned: `${(await tokenOf(key)).split(".").slice(0, 2).join(".")}.AAAA`,
};
let server: KeyServer | undefined;

const jwtCases = backendContract({
  async open(context) {
    server = await keyServer(key);
    return ssoJwtBackend({ ...issuer, header: "X-Assertion", groupsClaim: "groups", jwks: server.url }, context);
  },
  users: [
    { ask: basicAsk("oauth2", tokens.alice), username: "alice", groups: ["pushers", "readers"] },
    { ask: bearerAsk(tokens.bob), username: "bob", groups: ["readers"] },
    { ask: { headers: { "x-assertion": [tokens.bob] } }, username: "bob", groups: [] },
  ],
  wrong: [
    bearerAsk(tokens.forged),
    basicAsk("oauth2", tokens.forged),
    { headers: { "x-assertion": [tokens.unsigned] } },
  ],
  unknown: [bearerAsk(await tokenOf(stranger, {}, { kid: "k2" })), basicAsk("carol", "carol's canary")],
  foreign: [basicAsk("alice", "alice's canary"), bearerAsk("opaque-canary")],
  hostile: (name) => basicAsk(name, tokens.alice),
  secrets: [tokens.alice, tokens.bob, tokens.forged, "carol's canary", "alice's canary", "opaque-canary"],
  async outage() {
    await server?.stop();
    return async () => server?.start();
  },
  async silence() {
    server?.answer(() => {});
    return async () => server?.publish(key);
  },
});
for (const { name, run } of jwtCases) test(`the token backend ${name}`, run);

const jwtPluginCases = pluginContract({
  plugin: ssoJwtPlugin,
  options: () => ({ ...issuer, jwks: "https://idp.example.com/jwks" }),
  refused: [
    { options: {}, paths: [["issuer"], ["audience"]] },
    { options: { ...issuer, jwks: "http://idp.example.com/", leeway: "2m" }, paths: [["jwks"], ["leeway"]] },
    { options: { ...issuer, jwks: "x", algorithms: ["HS256"], bearer: 1 }, paths: [["algorithms", 0], ["bearer"]] },
    { options: { ...issuer, jwks: "/no/such/file" }, paths: [["jwks"]] },
  ],
});
for (const { name, run } of jwtPluginCases) test(`the token plugin ${name}`, run);
