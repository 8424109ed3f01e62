import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { startConnectProxy } from "../../../../packages/auth-sso/test/connect-proxy.ts";
import { type CertificateFiles, makeCertificate } from "../../../../test/support/certificate.ts";
import { type EventReceiver, startEventReceiver } from "../../../../test/support/event-receiver.ts";
import { type PostOptions, post } from "../../src/events/post.ts";

let files: CertificateFiles;
let ca: string;

beforeAll(async () => {
  files = await makeCertificate();
  ca = await readFile(files.authority, "utf8");
});

async function secureReceiver(): Promise<EventReceiver> {
  const [cert, key] = [await readFile(files.certificate), await readFile(files.key)];
  const receiver = await startEventReceiver({ tls: { cert, key } });
  onTestFinished(() => receiver.close());
  return receiver;
}

const body = '{"events":[]}';
const options = (more: Partial<PostOptions> = {}): PostOptions => ({
  ca,
  proxyFor: () => undefined,
  timeout: 10_000,
  signal: new AbortController().signal,
  ...more,
});

test("posts over TLS to a server of the given authority", async () => {
  const receiver = await secureReceiver();
  expect(await post(new URL(receiver.url), { "X-Test": "1" }, body, options())).toMatchObject({ status: 200 });
  expect(receiver.received).toMatchObject([{ path: "/hook", body, headers: { "x-test": "1" } }]);
});

test("posts nothing to a server of another authority", async () => {
  const receiver = await secureReceiver();
  await expect(post(new URL(receiver.url), {}, body, options({ ca: undefined }))).rejects.toThrow(
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  );
  expect(receiver.received).toEqual([]);
});

test("goes through a proxy, and says which one refuses", async () => {
  const receiver = await secureReceiver();
  const proxy = await startConnectProxy();
  const proxyFor = (): URL => new URL(`http://${proxy.host}`);
  const url = new URL(receiver.url.replace("127.0.0.1", "localhost"));
  expect(await post(url, {}, body, options({ proxyFor }))).toMatchObject({ status: 200 });
  expect(proxy.asked()).toMatchObject([{ target: url.host }]);
  proxy.behave(403);
  await expect(post(url, {}, body, options({ proxyFor }))).rejects.toThrow(`the proxy ${proxy.host} answered 403`);
  proxy.behave("silent");
  await expect(post(url, {}, body, options({ proxyFor, timeout: 200 }))).rejects.toThrow("no response within 200 ms");
  await expect.poll(() => proxy.connections()).toBe(0);
});

test.each([
  ["changes the protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 10_000],
  ["sends interim responses alone", "HTTP/1.1 103 Early Hints\r\n\r\n", 200],
])("ends with an error where the server %s", async (_what, head, timeout) => {
  const server = createServer((connection) => {
    connection.on("error", () => {});
    connection.once("data", () => connection.write(head));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = Object(server.address());
  await expect(post(new URL(`http://127.0.0.1:${port}/`), {}, body, options({ timeout }))).rejects.toThrow(
    /^(the server switched protocols|no response within 200 ms)$/,
  );
});

test("reads nothing of a response but its head, however long it is", async () => {
  const receiver = await startEventReceiver();
  onTestFinished(() => receiver.close());
  let written = 0;
  const closed = Promise.withResolvers<void>();
  receiver.respond((response) => {
    response.once("close", () => closed.resolve());
    response.writeHead(503, { "Retry-After": "7" });
    const write = (): void => {
      while (!response.destroyed) {
        written += 65_536;
        if (!response.write(Buffer.alloc(65_536))) return void response.once("drain", write);
      }
    };
    write();
  });
  expect(await post(new URL(receiver.url), {}, body, options())).toEqual({ status: 503, retryAfter: "7" });
  await closed.promise;
  expect(written).toBeLessThan(64 * 1024 * 1024);
});

test("ends when it is told to", async () => {
  const receiver = await startEventReceiver();
  onTestFinished(() => receiver.close());
  receiver.respond(() => {});
  const controller = new AbortController();
  const posting = post(new URL(receiver.url), {}, body, options({ signal: controller.signal }));
  await expect.poll(() => receiver.received.length).toBe(1);
  controller.abort();
  await expect(posting).rejects.toThrow("ABORT_ERR");
});
