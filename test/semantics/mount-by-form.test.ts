import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { exchangeRaw, type RawResponse } from "../support/raw-client.ts";
import { type RecordingRelay, startRecordingRelay } from "../support/recording-relay.ts";
import { type PushedImage, pushImage } from "../support/registry-content.ts";

/**
 * docker-registry reads `mount` and `from` out of a form in the body too. It takes a type for that of a form after it
 * has read it as UTF-8, and trimmed and folded it as Unicode: each of these types is one to it.
 */

let registry: DockerRegistry;
let relay: RecordingRelay;
let gate: RunningGate;
let secret: PushedImage;

beforeAll(async () => {
  registry = await startDockerRegistry();
  relay = await startRecordingRelay(new URL(registry.url).host);
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: relay.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["user:mallory"], repositories: ["mallory/**"], actions: ["*"] }],
    },
    files: { htpasswd: await passwordFile({ mallory: "mallory-password" }) },
  });
  secret = await pushImage({ url: registry.url, headers: {} }, "private/image", "v1", "a layer of somebody else's");
});

afterAll(async () => {
  await gate.close();
  await relay.close();
  await registry.close();
});

/** As the bytes of its UTF-8, each as a character. */
const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
const form = "application/x-www-form-urlencoded";
const named = (text: string): string => `U+${text.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`;

/** Unicode's white space beyond ASCII. */
const spaces = [
  ...["\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007"],
  ...["\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"],
];

const spellings: readonly (readonly [how: string, type: string])[] = [
  ["plainly", form],
  ["in CAPITALS", form.toUpperCase()],
  ["before a parameter", `${form}; charset=utf-8`],
  ["before a parameter that is none", `${form};\u00e9`],
  ...spaces.map((space) => [`after ${named(space)}`, utf8(space + form)] as const),
  ...spaces.map((space) => [`before ${named(space)}`, utf8(form + space)] as const),
  ...spaces.map((space) => [`before ${named(space)} and a parameter`, utf8(`${form}${space};a=b`)] as const),
  ["after several of them", utf8(` \u00a0\u2003\u3000${form}`)],
  ["with U+0130 in place of an i", utf8(form.replace("i", "\u0130"))],
];

/** A character of `type` is a byte. */
async function mount(url: string, repository: string, type: string): Promise<RawResponse> {
  const body = `mount=${secret.blob}&from=private/image`;
  const head = [
    `POST /v2/${repository}/blobs/uploads/ HTTP/1.1`,
    "Host: registry.example.com",
    `Authorization: ${basic("mallory", "mallory-password").authorization}`,
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
  ];
  const [response] = await exchangeRaw(url, [...head, "", body].join("\r\n"));
  if (response === undefined) throw new Error("no response");
  return response;
}

async function has(repository: string): Promise<boolean> {
  return (await fetch(`${registry.url}/v2/${repository}/blobs/${secret.blob}`, { method: "HEAD" })).status === 200;
}

test.each(spellings)("does not mount a private layer by a form whose type is spelt %s", async (_, type) => {
  // The registry alone does.
  expect(await mount(registry.url, "alone/image", type)).toMatchObject({ status: 201 });
  expect(await has("alone/image")).toBe(true);

  relay.take();
  expect(await mount(gate.url, "mallory/image", type)).toMatchObject({ status: 415 });
  expect(relay.take()).toEqual([]);
  expect(await has("mallory/image")).toBe(false);
});

test("does not mount a private layer by a form whose type is not said, or said to be another", async () => {
  for (const type of ["", "application/octet-stream", "text/plain", "application/json"]) {
    relay.take();
    expect(await mount(gate.url, "mallory/image", type)).toMatchObject({ status: 202 });
    expect(relay.take().join("")).toContain("\r\ncontent-type: application/octet-stream\r\n");
    expect(await has("mallory/image")).toBe(false);
  }
});
