import { createHash } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RecordingRelay, startRecordingRelay } from "../support/recording-relay.ts";
import { startUpload } from "../support/registry-content.ts";
import { run } from "../support/run.ts";
import { type Scene, startScene } from "./scene.ts";

/** A real client pushes a layer, and a relay counts what it sends to the gate. */

const mebibyte = 1024 * 1024;
const size = 48 * mebibyte;
const digest = `sha256:${createHash("sha256").update(Buffer.alloc(size)).digest("hex")}`;

let scene: Scene;
let counter: RecordingRelay;
let directory: string;
let layer: string;

beforeAll(async () => {
  scene = await startScene();
  counter = await startRecordingRelay(new URL(scene.gate.url).host);
  directory = await mkdtemp(join(tmpdir(), "registry-gate-layer-"));
  layer = join(directory, "layer");
  await writeFile(layer, "");
  await truncate(layer, size);
});

afterAll(async () => {
  await counter.close();
  await scene.close();
  await rm(directory, { recursive: true, force: true });
});

interface Push {
  readonly status: number;
  /** What the client sent after the head, in bytes. */
  readonly bodyBytes: number;
}

/** Pushes the layer as curl does by itself: it asks first whether it may, and here waits for as long as it takes. */
async function push(method: "PUT" | "PATCH" | "POST", target: string, headers: readonly string[]): Promise<Push> {
  counter.take();
  const status = await run("curl", [
    ...["--silent", "--request", method, "--upload-file", layer, "--expect100-timeout", "60"],
    ...["--http1.1", "--header", "Expect: 100-continue", "--output", join(directory, "answer")],
    ...headers.flatMap((header) => ["--header", header]),
    ...["--write-out", "%{http_code}", counter.url + target],
  ]);
  const said = counter.take().join("");
  expect(said).toMatch(/^(?:PUT|PATCH|POST) [^\r]+\r\n(?:[^\r]+\r\n)*Expect: 100-continue\r\n(?:[^\r]+\r\n)*\r\n/);
  return { status: Number(status), bodyBytes: said.length - said.indexOf("\r\n\r\n") - 4 };
}

const right = `Authorization: ${basic("alice", "alice-password").authorization}`;
const wrong = `Authorization: ${basic("alice", "another password").authorization}`;
const upload = "blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2";

test.each<[what: string, method: "PUT" | "PATCH" | "POST", target: string, headers: string[], status: number]>([
  ["a user who may not push here", "PATCH", `/v2/secret/app/${upload}`, [right], 403],
  ["a user with a wrong password", "PATCH", `/v2/team/app/${upload}`, [wrong], 401],
  ["nobody", "PUT", `/v2/team/app/${upload}?digest=${digest}`, [], 401],
  ["a path that is none of a registry", "PUT", "/v2/team/app/layers/1", [right], 404],
  ["a repository's name that is none", "POST", `/v2/Team/app/blobs/uploads/?digest=${digest}`, [right], 400],
  ["a form", "POST", "/v2/team/app/blobs/uploads/", [right, "Content-Type: multipart/form-data; boundary=x"], 415],
])("of a push that is refused for %s not one byte of the body is sent", async (_, method, target, headers, status) => {
  expect(await push(method, target, headers)).toEqual({ status, bodyBytes: 0 });
});

test("of a push that is allowed the whole body is sent, and the registry has it", async () => {
  const caller = { url: scene.gate.url, headers: basic("alice", "alice-password") };
  const location = await startUpload(caller, "team/app");
  scene.relay.take();
  const target = `${location.pathname}${location.search}&digest=${digest}`;
  expect(await push("PUT", target, [right])).toEqual({ status: 201, bodyBytes: size });
  // The registry is not asked the same again.
  expect(scene.relay.take().join("").slice(0, 1000)).not.toMatch(/expect/i);
  const blob = await fetch(`${scene.gate.url}/v2/team/app/blobs/${digest}`, {
    method: "HEAD",
    headers: caller.headers,
  });
  expect(blob.headers.get("content-length")).toBe(`${size}`);
});
