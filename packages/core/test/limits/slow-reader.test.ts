import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { rateWatch } from "../../src/limits/rate-watch.ts";

const mebibyte = 2 ** 20;
const times = { window: 2000, interval: 500 };

/** A connection on which as much is written as its other end takes. */
async function startDownload(): Promise<{ near: Socket; far: Socket; given: () => number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection");
  const far = connect(address.port, "127.0.0.1").pause();
  const [near]: Socket[] = await accepted;
  if (near === undefined) throw new Error("no connection");
  near.on("error", () => {});
  far.on("error", () => {});
  let given = 0;
  const write = (): void => {
    while (!near.destroyed) {
      given += mebibyte;
      if (!near.write(Buffer.alloc(mebibyte))) return void near.once("drain", write);
    }
  };
  write();
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far, given: () => given - near.writableLength };
}

function watchDownload(minRate: number, { near, given }: { near: Socket; given: () => number }) {
  const cut = vi.fn();
  const watch = rateWatch(minRate, times);
  watch.add({
    socket: near,
    waitsForClient: () => (near.writableNeedDrain ? "download" : undefined),
    moved: given,
    cut,
  });
  onTestFinished(() => watch.close());
  return cut;
}

test("aborts the download of a client that reads nothing, although the kernel buffers megabytes", async () => {
  const download = await startDownload();
  const cut = watchDownload(mebibyte, download);
  await expect.poll(() => cut.mock.calls.length).toBeGreaterThan(0);
  expect(cut).toHaveBeenCalledWith("download");
});

test("keeps the download of a client that reads faster than the minimum rate, although the kernel buffers nothing", async () => {
  const download = await startDownload();
  const cut = watchDownload(1024, download);
  // A window is not updated before much of a buffer is free: meanwhile only the kernel knows that something was read.
  const timer = setInterval(() => download.far.read(4096), 20);
  onTestFinished(() => clearInterval(timer));
  await new Promise((resolve) => setTimeout(resolve, 6000));
  expect(cut).not.toHaveBeenCalled();
});
