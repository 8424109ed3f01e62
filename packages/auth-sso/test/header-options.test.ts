import { ssoHeaderBackend, ssoHeaderPlugin } from "@registry-gate/auth-sso";
import { expect, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { faultsOf } from "./fixtures.ts";

const faults = (options: object) =>
  faultsOf(() =>
    ssoHeaderPlugin.open(options, { id: "front", baseDirectory: "/", log: recordingLog().log, warn() {} }),
  );
const good = { trustedProxies: ["10.1.0.7"], userHeader: "X-User" };

test("trusted proxies and a user header are required", async () => {
  expect(await faults({})).toEqual([{ path: ["trustedProxies"], message: "is required" }]);
  expect(await faults({ trustedProxies: [] })).toEqual([{ path: ["trustedProxies"], message: "must not be empty" }]);
  expect(await faults({ trustedProxies: ["10.1.0.7"] })).toEqual([
    { path: ["userHeader"], message: "is required without a preset" },
  ]);
});

test.each(["0.0.0.0/0", "::/0", "10.0.0.0/0", "128.0.0.0/1", "2000::/3", "::ffff:0.0.0.0/96", "::ffff:0:0/97"])(
  "%s would trust strangers and is refused",
  async (entry) => {
    const [fault, ...others] = await faults({ ...good, trustedProxies: ["10.1.0.7", entry] });
    expect(fault).toMatchObject({ path: ["trustedProxies", 1], message: expect.stringContaining("trustAnyPeer") });
    expect(others).toEqual([]);
    await expect(ssoHeaderBackend({ ...good, trustedProxies: [entry], trustAnyPeer: true })).resolves.toBeDefined();
  },
);

test.each([
  "10.1",
  "10.0.0.0/33",
  "::/129",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "proxy.example.com",
  "10.0.0.0/-1",
  "unix:/run/x",
  "*",
])("%s is no address of a proxy", async (entry) => {
  expect(await faults({ ...good, trustedProxies: [entry], trustAnyPeer: true })).toEqual([
    { path: ["trustedProxies", 0], message: "must be an IP address, a CIDR block such as 10.0.0.0/8, or unix:" },
  ]);
});

test.each(["fe80::1%eth0", "fe80::%eth0/10"])("%s has a zone, which no address of a proxy can have", async (entry) => {
  expect(await faults({ ...good, trustedProxies: [entry], trustAnyPeer: true })).toEqual([
    {
      path: ["trustedProxies", 0],
      message: "must be an address without a zone: write fe80::1, or a block such as fe80::/10",
    },
  ]);
});

test("reports all schema faults at once, by option", async () => {
  const found = await faults({
    trustedProxies: "10.1.0.7",
    preset: "acme",
    userHeader: "X User",
    groupsHeader: "Authorization",
    groupsSeparator: "and",
    trustAnyPeer: "yes",
    usersHeader: "X",
    sharedSecret: { value: "0123456789abcdef" },
    clientCertificate: { fingerprints: ["AA:BB"] },
  });
  expect(found.map(({ path }) => path.join("."))).toEqual(
    expect.arrayContaining([
      "trustedProxies",
      "preset",
      "userHeader",
      "groupsHeader",
      "groupsSeparator",
      "trustAnyPeer",
      "usersHeader",
      "sharedSecret.header",
      "clientCertificate.fingerprints.0",
    ]),
  );
});

test.each([
  [{ groupsHeader: "X-Groups" }, "groupsSeparator", "is required with groupsHeader"],
  [{ groupsSeparator: "," }, "groupsSeparator", "has no effect"],
  [{ emailHeader: "x-user" }, "emailHeader", "is already used by another option"],
  [{ sharedSecret: { header: "X-USER", value: "0123456789abcdef" } }, "sharedSecret.header", "another option"],
  [{ sharedSecret: { header: "X-Secret" } }, "sharedSecret", "must have either value or valueFile"],
  [{ sharedSecret: { header: "X-S", value: "0123456789abcdef", valueFile: "f" } }, "sharedSecret", "either"],
  [{ sharedSecret: { header: "X-S", value: "canary-short" } }, "sharedSecret.value", "must be 16 to 1024"],
  [{ sharedSecret: { header: "X-S", value: "canary with blanks in it" } }, "sharedSecret.value", "without blanks"],
])("options that do not go together are refused: %j", async (more, path, message) => {
  const found = await faults({ ...good, ...more });
  expect(found.map((fault) => fault.path.join("."))).toEqual([path]);
  expect(found[0]?.message).toContain(message);
  expect(found[0]?.message).not.toContain("canary");
});
