import { BackendUnavailableError } from "@registry-gate/auth";
import { passwordEntry } from "@registry-gate/auth-htpasswd";
import { beforeAll, expect, test } from "vitest";
import { open, run, signIn } from "./fixtures.ts";

/** A machine on which the native module cannot be loaded: it looks for its library here, and nowhere else. */
beforeAll(() => {
  process.env.NAPI_RS_NATIVE_LIBRARY_PATH = "/nowhere";
});

const inWords = /^bcrypt cannot be loaded on this machine \(\w+ \w+\): install the packages again/;

const users = (): string =>
  [
    run("htpasswd", ["-niBC", "4", "bea"], "bea's"),
    run("htpasswd", ["-nim", "mia"], "mia's"),
    run("htpasswd", ["-nis", "sam"], "sam's"),
    run("htpasswd", ["-ni5", "-r", "1500", "sue"], "sue's"),
    "",
  ].join("\n");

test.each(["mia", "sam", "sue"])("users with other hashes than bcrypt sign in: %s", async (name) => {
  const { backend } = await open(users());
  expect(await signIn(backend, name, `${name}'s`)).toMatchObject({ status: "authenticated" });
  expect(await signIn(backend, name, "wrong")).toMatchObject({ status: "rejected" });
});

test("a user who is not in the file is unknown, and not a failure", async () => {
  const { backend } = await open(users());
  expect(await signIn(backend, "nobody", "secret")).toEqual({ status: "abstained" });
});

test.each(["bea's", "wrong"])(
  "of a user with a bcrypt hash the backend says why it cannot tell: %s",
  async (password) => {
    const { backend } = await open(users());
    const error = await signIn(backend, "bea", password).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BackendUnavailableError);
    expect(error).toMatchObject({ message: expect.stringContaining("bcrypt cannot be loaded on this machine") });
  },
);

test("the log says how many users are kept out, and why", async () => {
  const { lines, file } = await open(users());
  const errors = lines.filter(({ level }) => level === "error");
  expect(errors).toEqual([
    {
      level: "error",
      fields: { file, users: 1, reason: expect.stringMatching(inWords) },
      message: expect.stringMatching(/^users with bcrypt hashes cannot sign in: bcrypt cannot be loaded/),
    },
  ]);
});

test("logs nothing where no user has a bcrypt hash", async () => {
  const { lines } = await open(run("htpasswd", ["-nim", "mia"], "mia's"));
  expect(lines).toEqual([]);
});

test("a new entry cannot be made, and there is another way", async () => {
  const error = await passwordEntry("alice", "secret").catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "SET_PASSWORD_FAILED" });
  expect(error).toMatchObject({
    faults: [{ path: ["password"], message: expect.stringContaining("openssl passwd -6") }],
  });
});
