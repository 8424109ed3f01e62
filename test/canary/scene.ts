import { issuerName, newKey, type SigningKey, sign } from "../fronts/issuer.ts";
import { changePassword } from "../ldap/openldap.ts";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type RecordingRelay, startRecordingRelay } from "../support/recording-relay.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

/** Secrets, by where they are planted. */
export const secrets = {
  "a password in a file": "canary-Grün+pässword/1",
  "a wrong password": "canary-wrong&password?2",
  "a password in the directory": "canary-directory=password 3",
  "a password typed as a name": "canary-typed-as-a-name-4",
  "the password of the gate itself": "canary-of-the-gate-itself-5",
  "the secret of a proxy": "canary-secret-of-a-proxy-6",
  "a wrong secret of a proxy": "canary-wrong-secret-of-a-proxy-7",
  "a token that is none": "canary-token-that-is-none-8",
  "a malformed login": "canary-malformed-login-9",
  "a cookie": "canary-cookie-10",
  "the state of an upload": "canary-state-of-an-upload-11",
  "a parameter": "canary-parameter-12",
  "a header": "canary-header-13",
  "a body": "canary-body-14",
  "a trailer": "canary-trailer-15",
  "a broken configuration": "canary-broken-configuration-16",
  "a broken password file": "canary-broken-password-file-17",
} as const;

/** A gate with every kind of backend, which logs all that it can, before a real registry and beside a real directory. */
export interface Scene {
  readonly gate: RunningGate;
  readonly registry: DockerRegistry;
  readonly relay: RecordingRelay;
  readonly slapd: Slapd;
  /** Headers that prove somebody, or fail to. */
  readonly logins: ReadonlyMap<string, string>;
  readonly configuration: object;
  /** Good tokens, and some that were good once or are good elsewhere. */
  readonly tokens: readonly string[];
  close(): Promise<void>;
}

export async function startScene(): Promise<Scene> {
  const registry = await startDockerRegistry();
  const relay = await startRecordingRelay(new URL(registry.url).host);
  const slapd = await startSlapd();
  await plant(slapd);
  const key = await newKey("one");
  const tokens = await tokensOf(key, await newKey("one"));
  const configuration = configurationOf(relay, slapd);
  const gate = await startGate({
    configuration,
    files: {
      htpasswd: await passwordFile({ alice: secrets["a password in a file"] }),
      "bind-password": `${secrets["the password of the gate itself"]}\n`,
      "jwks.json": JSON.stringify({ keys: [key.jwk] }),
    },
  });
  return {
    gate,
    registry,
    relay,
    slapd,
    configuration,
    tokens,
    logins: loginsOf(tokens),
    async close() {
      await gate.close();
      await slapd.close();
      await relay.close();
      await registry.close();
    },
  };
}

async function plant(slapd: Slapd): Promise<void> {
  await changePassword(slapd, "uid=bob,ou=people,dc=example,dc=org", secrets["a password in the directory"]);
  await changePassword(slapd, "cn=gate,dc=example,dc=org", secrets["the password of the gate itself"]);
}

function tokensOf(key: SigningKey, stranger: SigningKey): Promise<string[]> {
  return Promise.all([
    sign(key, { sub: "carol" }),
    sign(key, { sub: "carol", exp: 1000 }),
    sign(key, { sub: "carol", aud: "another" }),
    sign(key, { sub: secrets["a token that is none"], iss: "another" }),
    sign(stranger, { sub: "carol" }),
  ]);
}

function configurationOf(relay: RecordingRelay, slapd: Slapd): object {
  const header = { type: "sso-header", userHeader: "X-Forwarded-User" };
  const sharedSecret = { header: "X-Gate-Secret", value: secrets["the secret of a proxy"] };
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: relay.url, readTimeout: "2s" },
    auth: {
      // Hundreds of logins fail here, and each has to be looked at.
      throttle: { perAddress: "100000/1m", perUserAndAddress: "100000/1m" },
      backends: [
        { ...header, trustedProxies: ["127.0.0.1"], sharedSecret },
        { ...header, id: "elsewhere", trustedProxies: ["10.0.0.1"] },
        { type: "sso-jwt", jwks: "jwks.json", issuer: issuerName, audience: "registry" },
        { type: "htpasswd", file: "htpasswd" },
        {
          type: "ldap",
          urls: [slapd.tlsUrl],
          caCert: slapd.authority,
          bindDN: "cn=gate,dc=example,dc=org",
          bindPasswordFile: "bind-password",
          searchBase: "ou=people,dc=example,dc=org",
          timeout: "500ms",
        },
      ],
    },
    access: [
      { subjects: ["authenticated"], repositories: ["team/**"], actions: ["*"], immutableTags: ["v*"] },
      { subjects: ["user:nobody"], repositories: ["**"], actions: ["*"] },
    ],
    // A password typed as a name would be in it.
    log: { level: "debug", attemptedNames: false },
    audit: {
      output: "stdout",
      events: ["push", "delete", "denied", "login-failed", "pull", "throttled", "reload", "token", "blob"],
    },
  };
}

function loginsOf(tokens: readonly string[]): ReadonlyMap<string, string> {
  const login = (username: string, password: string): string =>
    `Authorization: ${basic(username, password).authorization}`;
  const wrong = secrets["a wrong password"];
  const proxy = (secret: string): string => `X-Forwarded-User: dave\r\nX-Gate-Secret: ${secret}`;
  return new Map([
    ["nobody", "X-Nothing: 1"],
    ["alice, from the file", login("alice", secrets["a password in a file"])],
    ["alice, wrongly", login("alice", wrong)],
    ["bob, from the directory", login("bob", secrets["a password in the directory"])],
    ["bob, wrongly", login("bob", wrong)],
    ["a stranger", login("stranger", wrong)],
    ["a password as a name", login(secrets["a password typed as a name"], "x")],
    ["dave, by a proxy", proxy(secrets["the secret of a proxy"])],
    ["dave, by a false proxy", proxy(secrets["a wrong secret of a proxy"])],
    ["two at once", `${proxy(secrets["the secret of a proxy"])}\r\n${login("alice", secrets["a password in a file"])}`],
    ["a login twice", `${login("alice", wrong)}\r\n${login("bob", secrets["a password in the directory"])}`],
    ["no token", `Authorization: Bearer ${secrets["a token that is none"]}`],
    ["no Base64", `Authorization: Basic ${secrets["a malformed login"]}!`],
    ["another scheme", `Authorization: Digest username="alice", response="${secrets["a malformed login"]}"`],
    ...tokens.map((token, index): [string, string] => [`token ${index}`, `Authorization: Bearer ${token}`]),
    ...tokens.map((token, index): [string, string] => [`token ${index} as a password`, login("oauth2", token)]),
  ]);
}
