import { ssoJwtPlugin } from "@registry-gate/auth-sso";
import { expect, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { faultsOf } from "./fixtures.ts";

const open = (options: object) =>
  ssoJwtPlugin.open(options, { id: "idp", baseDirectory: "/", log: recordingLog().log, warn() {} });
const faults = async (options: object) =>
  (await faultsOf(() => open(options))).map(({ path, message }) => `${path.join(".")}: ${message}`);
const good = { jwks: "https://idp.example.com/jwks", issuer: "https://idp.example.com", audience: "registry" };

test("an issuer and an audience are required, and keys where they cannot be discovered", async () => {
  expect(await faults({})).toEqual(["issuer: is required", "audience: is required"]);
  const { jwks: _, ...discovering } = good;
  await (await open(discovering)).close?.();
  await (await open({ ...discovering, issuer: "http://localhost:8080/realms/acme" })).close?.();
  const cannot = "jwks: is required: a URL or a file. It cannot be discovered: the issuer";
  for (const [issuer, reason] of [
    ["accounts", "is not a URL"],
    ["http://idp.example.com", "must begin with https://: whoever can change the keys"],
    ["https://idp.example.com/?a=b", "has a query or a fragment"],
    ["https://user:canary@idp.example.com", "must not hold credentials"],
  ]) {
    const [fault, ...others] = await faults({ ...discovering, issuer });
    expect(fault).toContain(`${cannot} ${reason}`);
    expect(fault).not.toContain("canary");
    expect(others).toEqual([]);
  }
});

test("opening asks no server for anything", async () => {
  await (await open(good)).close?.();
  expect(ssoJwtPlugin.optionsSchema).toMatchObject({ type: "object" });
});

test.each([
  ["http://idp.example.com/jwks", "must begin with https://"],
  ["http://127.0.0.1.example.com/jwks", "must begin with https://"],
  ["http://localhost.example.com/jwks", "must begin with https://"],
  ["ftp://idp.example.com/jwks", "must begin with https://"],
  ["file:///etc/jwks.json", "must begin with https://"],
  ["https://user:canary@idp.example.com/jwks", "must not hold credentials"],
  ["https://", "must be a URL or a file"],
])("keys are not taken from %s", async (jwks, message) => {
  const [fault, ...others] = await faults({ ...good, jwks });
  expect(fault).toContain(`jwks: ${message}`);
  expect(fault).not.toContain("canary");
  expect(others).toEqual([]);
});

test.each([
  "http://localhost:5000/jwks",
  "http://127.0.0.1/jwks",
  "http://[::1]:1/jwks",
  "HTTPS://idp.example.com/jwks",
])("keys can be taken from %s", async (jwks) => {
  await (await open({ ...good, jwks })).close?.();
});

test.each<[object, string]>([
  [{ algorithms: ["HS256"] }, "algorithms.0: must be one of RS256"],
  [{ algorithms: ["none"] }, "algorithms.0: must be one of RS256"],
  [{ algorithms: [] }, "algorithms: must not be empty"],
  [{ leeway: "61s" }, "leeway: must be a duration of at most 60s"],
  [{ leeway: "-1s" }, "leeway: must be a duration of at most 60s"],
  [{ leeway: "soon" }, "leeway: must be a duration of at most 60s"],
  [{ leeway: true }, "leeway: must be a duration such as 30s"],
  [{ jwksTimeout: 0 }, "jwksTimeout: must be a duration from 1ms to 60s"],
  [{ jwksKeepFor: "5m" }, "jwksKeepFor: must not be shorter than jwksMaxAge"],
  [{ maxTokenBytes: 1 }, "maxTokenBytes: must be a whole number from 256 to 32768"],
  [{ header: "Authorization" }, "header: has a meaning of its own and cannot carry an identity"],
  [{ header: "Cookie" }, "header: has a meaning of its own and cannot carry an identity"],
  [{ bearer: false, basic: false }, "header: is required if both bearer and basic are off"],
  [{ audience: [] }, "audience: must not be empty"],
  [{ secret: "x" }, "secret: is not a known key"],
  [{ caCert: "/nowhere/ca.pem" }, "caCert: no such file: /nowhere/ca.pem"],
  [{ jwks: "/nowhere/jwks.json", caCert: "ca.pem" }, "caCert: has no effect if jwks is a file"],
  [{ proxy: "proxy:3128" }, "proxy: must begin with http:// or https://"],
  [{ proxy: "socks5://proxy:1080" }, "proxy: must begin with http:// or https://"],
  [{ proxy: "http://proxy:3128/path" }, "proxy: must be a proxy's scheme, host and port"],
  [{ proxy: true }, "proxy: must be the URL of a proxy, or false"],
  [{ jwks: "http://127.0.0.1/jwks", proxy: "http://proxy:3128" }, "proxy: must be on this machine"],
  [{ jwks: "/nowhere/jwks.json", proxy: false }, "proxy: has no effect if jwks is a file"],
  [{ jwks: "/nowhere/jwks.json" }, "jwks: no such file: /nowhere/jwks.json"],
  [{ keyUrl: "https://idp.example.com/{kid}" }, "keyUrl: cannot be combined with jwks"],
  [{ jwks: undefined, keyUrl: "https://idp.example.com/kid" }, "keyUrl: must hold {kid} once, in its path"],
  [{ jwks: undefined, keyUrl: "https://{kid}.example.com/" }, "keyUrl: must hold {kid} once, in its path"],
  [{ jwks: undefined, keyUrl: "http://idp.example.com/{kid}" }, "keyUrl: must begin with https://"],
  [{ groupsSeparator: "," }, "groupsSeparator: has no effect without groupsClaim"],
  [{ extraGroups: ["a\nb"] }, "extraGroups.0: holds a control character"],
  [{ usernameClaim: 7 }, "usernameClaim: must be a claim, or a list of its parts"],
  [{ requiredClaims: { a: 7 } }, "requiredClaims.a: must be a text, or a list of them"],
  [{ signer: "arn" }, "signer: has no effect without the preset aws-alb"],
  [{ preset: "aws-alb" }, "signer: must be the ARN of the load balancer"],
  [{ preset: "github-actions" }, "requiredClaims: must have one of repository"],
  [
    { preset: "github-actions", requiredClaims: { ref: "refs/heads/main" } },
    "requiredClaims: must have one of repository",
  ],
  [{ preset: "gitlab", requiredClaims: {} }, "requiredClaims: must have one of project_path"],
  [{ preset: "acme" }, "preset: must be one of cloudflare-access"],
])("%j is refused: %s", async (more, message) => {
  const given = Object.entries({ ...good, ...more }).filter(([, value]) => value !== undefined);
  const [fault, ...others] = await faults(Object.fromEntries(given));
  expect(fault).toContain(message);
  expect(others).toEqual([]);
});

test("a load balancer outside the common partition needs the address of its keys", async () => {
  const signer = "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:123456789012:loadbalancer/app/p/50dc6c495c0c9188";
  const options = { preset: "aws-alb", signer, issuer: "i", audience: "c" };
  expect(await faults(options)).toEqual(["jwks: is required: a URL or a file"]);
  await (await open({ ...options, keyUrl: "https://keys.example.com/{kid}" })).close?.();
});
