import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import { platform } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { connectionName, kernelQueues } from "../../src/limits/kernel-queues.ts";

async function pair(host: string): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection");
  const far = connect(address.port, host.replace("::ffff:", ""));
  far.pause();
  const [near]: Socket[] = await accepted;
  if (near === undefined) throw new Error("no connection");
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

test.runIf(platform() === "linux").each(["127.0.0.1", "::1", "::ffff:127.0.0.1"])(
  "tells what the kernel holds for a reader at %s, and that it is gone when it was read",
  async (host) => {
    const { near, far } = await pair(host);
    const name = connectionName(near);
    if (name === undefined) throw new Error("no name");
    expect((await kernelQueues())?.has(name)).toBe(false);
    near.write(Buffer.alloc(16 * 2 ** 20));
    await expect.poll(async () => (await kernelQueues())?.get(name) ?? 0).toBeGreaterThan(10_000);
    far.resume();
    await expect.poll(async () => (await kernelQueues())?.has(name)).toBe(false);
  },
);

test("names only TCP connections", () => {
  expect(connectionName(new Socket())).toBeUndefined();
});
