import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { alice, connectRaw, startGate, startRawUpstream, statuses } from "./servers.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

test("a connection that waits for its next request holds no response", async () => {
  const { port: upstream } = await startRawUpstream();
  const handled: WeakRef<object>[] = [];
  const gate = await startGate({
    upstream,
    access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }],
    mount: (proxy) => (request, response) => {
      handled.push(new WeakRef(response));
      proxy(request, response);
    },
  });
  const client = await connectRaw(gate.port);
  const request = `GET /v2/team/app/manifests/latest HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`;
  for (let sent = 1; sent <= 3; sent++) {
    client.write(request);
    await expect.poll(() => statuses(client.text()).length).toBe(sent);
  }
  const held = (): number => {
    if (typeof collect === "function") collect();
    return handled.filter((reference) => reference.deref() !== undefined).length;
  };
  await expect.poll(held).toBe(0);
  expect(handled).toHaveLength(3);
  client.write(request);
  await expect.poll(() => statuses(client.text())).toEqual([200, 200, 200, 200]);
});
