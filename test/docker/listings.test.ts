import { type EmbeddedRegistry, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { newSkopeoUser } from "../support/skopeo.ts";

/** More than two pages of a registry that gives fifty at once. */
const tags = Array.from({ length: 120 }, (_, index) => `v${index + 100}`);

let registry: EmbeddedRegistry;
let gate: RunningGate;

beforeAll(async () => {
  registry = await startEmbeddedRegistry({ pages: "opaque" });
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const body = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] });
  for (const tag of tags) {
    const url = `${registry.url}/v2/team/app/manifests/${tag}`;
    const response = await fetch(url, { method: "PUT", headers: { "content-type": mediaType }, body });
    if (response.status !== 201) throw new Error(`${response.status} for ${tag}`);
  }
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: { htpasswd: await passwordFile({ alice: "secret" }) },
  });
});

afterAll(async () => {
  await gate?.close();
  await registry?.close();
});

test("skopeo lists all tags of a registry that names its pages by a token of its own", async () => {
  const { skopeo, close } = await newSkopeoUser("/dev/null");
  onTestFinished(close);
  const host = new URL(gate.url).host;
  const command = ["list-tags", "--tls-verify=false", "--creds", "alice:secret", `docker://${host}/team/app`];
  const { code, stdout, stderr } = await skopeo(command);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({ Repository: `${host}/team/app`, Tags: tags });
});

test("so does a client that resolves Link against the request and follows it as it is, like crane, oras and regctl", async () => {
  const listed: string[] = [];
  let url: string | undefined = `${gate.url}/v2/team/app/tags/list?n=30`;
  for (let count = 0; url !== undefined; count++) {
    expect(count).toBeLessThan(5);
    const response: Response = await fetch(url, { headers: basic("alice", "secret") });
    expect(response.status).toBe(200);
    listed.push(...tagsIn(await response.json()));
    const next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    url = next === undefined ? undefined : new URL(next, url).href;
  }
  expect(listed).toEqual(tags);
});

function tagsIn(listing: unknown): string[] {
  const { tags: listed } = Object(listing);
  return Array.isArray(listed) ? listed.map(String) : [];
}
