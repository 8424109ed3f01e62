import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { envelopeOf, type Notification } from "../../apps/gateway/src/events/notification.ts";
import { signatureOf } from "../../apps/gateway/src/events/sign.ts";
import { codeOf } from "../docs/markdown.ts";
import { freePort } from "../support/free-port.ts";
import { startLoggedServer } from "../support/logged-server.ts";

test("the receiver of docs/events.md takes what is signed with any of its secrets, once, and nothing else", async () => {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-receiver-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const page = await readFile(resolve(import.meta.dirname, "../../docs/events.md"), "utf8");
  const [snippet] = codeOf(page).blocks.filter(({ language }) => language === "ts");
  const announced = 'server.on("listening", () => console.log(JSON.stringify({ listening: process.env.PORT })));';
  await writeFile(join(directory, "receiver.ts"), `${snippet?.code}\n${announced}\n`);
  const port = await freePort();
  const receiver = await startLoggedServer({
    command: process.execPath,
    parameters: ["receiver.ts"],
    directory,
    environment: { PORT: `${port}`, SECRETS: "new,old" },
    log: "stdout",
    addressIn: ({ listening }) => (listening === undefined ? undefined : `127.0.0.1:${port}`),
  });
  onTestFinished(() => receiver.close());

  const notification: Notification = {
    id: "1",
    timestamp: "2026-11-28T00:00:00.000Z",
    action: "push",
    target: { repository: "team/app", tag: "1.0" },
    request: {},
    actor: { name: "alice" },
    source: { addr: "gate", instanceID: "1" },
  };
  const body = envelopeOf(notification);
  const send = async (signature: string | undefined, sent = body): Promise<number> => {
    const headers = signature === undefined ? {} : { "X-Registry-Gate-Signature": signature };
    return (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers, body: sent })).status;
  };
  for (const signature of [undefined, "", "sha256=", signatureOf(body, "other"), signatureOf(body, "")]) {
    expect(await send(signature)).toBe(403);
  }
  expect(await send(signatureOf(body, "new"), body.replace("alice", "mallory"))).toBe(403);
  expect(await send(signatureOf(body, "new"))).toBe(200);
  expect(await send(signatureOf(body, "old"))).toBe(200);
  await receiver.logged(({ id }) => id === "1");
  expect(receiver.lines().filter(({ id }) => id !== undefined)).toEqual([
    { id: "1", action: "push", user: "alice", repository: "team/app", tag: "1.0" },
  ]);
});
