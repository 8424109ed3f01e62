import { rename, unlink, writeFile } from "node:fs/promises";
import { type HashQueue, hashQueue } from "@registry-gate/auth-htpasswd";
import { type FileReload, fileReload } from "@registry-gate/auth-kit";
import { expect, onTestFinished, test } from "vitest";
import { cheapEntry, open, run, signIn, until } from "./fixtures.ts";

test("registry-gate:hash:queue says which logins wait for their password to be checked", async () => {
  const messages: HashQueue[] = [];
  onTestFinished(hashQueue.subscribe((message) => messages.push(message)));
  const { backend } = await open(cheapEntry("alice", "canary-secret"), { hashConcurrency: 1 });
  await Promise.all([signIn(backend, "alice", "canary-secret"), signIn(backend, "alice", "canary-wrong")]);
  const common = { backend: "users", inUse: 1 };
  expect(messages).toEqual([
    { ...common, event: "waiting", waiting: 1 },
    { ...common, event: "granted", waiting: 0, milliseconds: expect.any(Number) },
  ]);
});

test("registry-gate:hash:queue says which logins are turned away", async () => {
  const messages: HashQueue[] = [];
  onTestFinished(hashQueue.subscribe((message) => messages.push(message)));
  const { backend } = await open(cheapEntry("alice", "secret"), { hashConcurrency: 1, hashQueue: 0 });
  const logins = await Promise.allSettled([signIn(backend, "alice", "secret"), signIn(backend, "alice", "secret")]);
  expect(logins.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(messages).toEqual([
    { backend: "users", event: "refused", reason: "full", milliseconds: 0, waiting: 0, inUse: 1 },
  ]);
});

test("registry-gate:file:reload says what became of each new version of the password file", async () => {
  const messages: FileReload[] = [];
  onTestFinished(fileReload.subscribe((message) => messages.push(message)));
  const { file } = await open(cheapEntry("alice", "canary-secret"));
  const outcomes = (): readonly string[] => messages.map(({ outcome }) => outcome);
  const replace = async (content: string): Promise<void> => {
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  };
  expect(messages).toEqual([]);
  await replace(run("htpasswd", ["-niBC", "4", "bob"], "canary-other"));
  await until(() => expect(outcomes()).toEqual(["reloaded"]));
  await replace("-----BEGIN CERTIFICATE-----\n");
  await until(() => expect(outcomes()).toEqual(["reloaded", "invalid"]));
  await unlink(file);
  await until(() => expect(outcomes()).toEqual(["reloaded", "invalid", "unreadable"]));
  expect(messages.map(({ files }) => files)).toEqual([[file], [file], [file]]);
  expect(JSON.stringify(messages)).not.toContain("canary");
});
