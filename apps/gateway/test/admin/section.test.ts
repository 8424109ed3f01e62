import { describe, expect, test } from "vitest";
import { formatListenAddress, type ListenAddress, parseAdminAddress } from "../../src/config/address.ts";
import { readConfiguration } from "../../src/config/parse.ts";
import { adminFaults, adminPlace, drainDelayOf, requiredParts } from "../../src/config/sections/admin.ts";

const base =
  "listen: { address: 5043 }\nupstream: { url: http://r }\nauth: { backends: [{ type: htpasswd, file: f }] }\n";
const read = (admin: string) => readConfiguration(`${base}${admin}\n`, {});

describe("the section admin", () => {
  test.each([
    ["admin:", "127.0.0.1:9043"],
    ["admin: {}", "127.0.0.1:9043"],
    ["admin: { address: 9100 }", "127.0.0.1:9100"],
    ['admin: { address: ":9100" }', "*:9100"],
    ["admin: { address: 0.0.0.0:9100 }", "0.0.0.0:9100"],
    ['admin: { address: "[::1]:9100" }', "[::1]:9100"],
    ["admin: { address: unix:/run/admin.sock }", "unix:/run/admin.sock"],
  ])("%s listens at %s", (text, address) => {
    const { configuration, faults } = read(text);
    expect(faults).toEqual([]);
    const { admin = {}, listen } = configuration ?? { listen: { address: { host: "", port: 0 } } };
    expect(formatListenAddress(adminPlace(admin, listen).address)).toBe(address);
  });

  test.each([
    ["admin: { adress: 1 }", "is not a known key; did you mean address?"],
    ["admin: yes", "must hold address and drainDelay"],
    ["admin: []", "must hold address and drainDelay"],
    ["admin: { address: systemd:admin }", "must be host:port, [IPv6 address]:port, a port alone or unix:/path"],
    ["admin: { address: 99999 }", "must be host:port, [IPv6 address]:port, a port alone or unix:/path"],
    ["admin: { drainDelay: 5 }", "must be a duration with a unit: write 5s"],
    ["admin: { requires: [ldap] }", "must be backends, registry or state"],
  ])("%s is a fault", (text, message) => {
    expect(read(text).faults.map((fault) => fault.message)).toEqual([message]);
  });

  test("has defaults: a delay only where it is there, and backends and registry as what is required", () => {
    expect([drainDelayOf(undefined), drainDelayOf({}), drainDelayOf({ drainDelay: 0 })]).toEqual([0, 5000, 0]);
    expect(requiredParts({})).toEqual(["backends", "registry"]);
    expect(requiredParts({ requires: [] })).toEqual([]);
  });

  test("is shared with a process that takes over where the listener of requests is", () => {
    const address: ListenAddress = { host: "h", port: 1 };
    expect(adminPlace({ address }, { address, shared: true })).toEqual({ address, shared: true });
  });
});

test.each([
  ["9043", "9043", true],
  ["127.0.0.1:5043", "0.0.0.0:5043", true],
  ["0.0.0.0:5043", "127.0.0.1:5043", true],
  ["127.0.0.1:5043", "[::]:5043", true],
  ["unix:/a", "unix:/a", true],
  ["unix:/a", "unix:/b", false],
  ["unix:/a", "5043", false],
  ["127.0.0.1:5043", "127.0.0.2:5043", false],
  ["9043", "5043", false],
  ["127.0.0.1:0", "127.0.0.1:0", false],
])("admin at %s and requests at %s are a fault: %s", (one, other, fault) => {
  const [admin, listen] = [parseAdminAddress(one), parseAdminAddress(other)];
  if (admin === undefined || listen === undefined) throw new TypeError("not an address");
  const message = "is taken by listen.address: the admin listener needs one of its own";
  const expected = fault ? [{ path: ["admin", "address"], message }] : [];
  expect(adminFaults({ address: admin }, { address: listen })).toEqual(expected);
});
