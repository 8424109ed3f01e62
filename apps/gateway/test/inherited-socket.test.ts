import { expect, test } from "vitest";
import { findInheritedSocket } from "../src/listener/inherited-socket.ts";

const two = { LISTEN_FDS: "2", LISTEN_PID: "7", LISTEN_FDNAMES: "plain:secure" };

test("the only socket needs no name, and each of several is found by its own", () => {
  expect(findInheritedSocket(undefined, { LISTEN_FDS: "1", LISTEN_PID: "7" }, 7)).toBe(3);
  expect(findInheritedSocket("plain", two, 7)).toBe(3);
  expect(findInheritedSocket("secure", two, 7)).toBe(4);
});

test.each([
  ["nobody passes one", undefined, {}, "no socket was passed"],
  ["the number is none", undefined, { ...two, LISTEN_FDS: "x" }, "no socket was passed"],
  [
    "it was passed to another process",
    undefined,
    { ...two, LISTEN_PID: "8" },
    "passed to the process 8, and this is 7",
  ],
  ["one of several is not named", undefined, two, "2 sockets were passed to this process: plain, secure; name one"],
  ["none has the name", "other", two, "no socket named other was passed to this process: plain, secure"],
  ["several have the name", "a", { ...two, LISTEN_FDNAMES: "a:a" }, "several sockets named a"],
  ["a name has no socket", "c", { ...two, LISTEN_FDNAMES: "a:b:c" }, "no socket named c"],
])("is refused where %s", (_, name, environment, message) => {
  expect(() => findInheritedSocket(name, environment, 7)).toThrow(message);
});
