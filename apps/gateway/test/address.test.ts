import { describe, expect, test } from "vitest";
import { formatListenAddress, isLoopback, parseListenAddress } from "../src/config/address.ts";

describe("a listening address", () => {
  test.each([
    ["127.0.0.1:5043", { host: "127.0.0.1", port: 5043 }, true],
    ["localhost:0", { host: "localhost", port: 0 }, true],
    ["0.0.0.0:443", { host: "0.0.0.0", port: 443 }, false],
    ["[::1]:5043", { host: "::1", port: 5043 }, true],
    ["[::]:5043", { host: "::", port: 5043 }, false],
    ["gate.example.com:443", { host: "gate.example.com", port: 443 }, false],
    ["*:5043", { host: "*", port: 5043 }, false],
    ["unix:/run/gate.sock", { socket: "/run/gate.sock" }, true],
    ["systemd:", { inherited: undefined }, false],
    ["systemd:gate.socket", { inherited: "gate.socket" }, false],
  ])("%s is read, written back the same, and known as loopback or not", (text, address, loopback) => {
    const parsed = parseListenAddress(text);
    expect(parsed).toEqual(address);
    if (parsed === undefined) throw new Error("unreachable");
    expect(formatListenAddress(parsed)).toBe(text);
    expect(isLoopback(parsed)).toBe(loopback);
  });

  test.each(["5043", ":5043"])("%j is the port at every address", (text) => {
    expect(parseListenAddress(text)).toEqual({ host: "*", port: 5043 });
  });

  test.each([
    "",
    ":",
    "*",
    "*5043",
    "65536",
    ":65536",
    "host:",
    "host:65536",
    "host:-1",
    "::5043",
    "::1:5043",
    "[::1]",
    "[host]:1",
    "unix:",
    "a:b:1",
    "systemd:a:b",
    "systemd:a b",
  ])("%j is none", (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});
