import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dockerd } from "../support/dockerd.ts";
import { incompressible } from "../support/image-archive.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Direction, type Relay, startRelay } from "../support/relay.ts";
import { imageId, loggedIn } from "./docker-user.ts";
import { type Stage, setStage } from "./stage.ts";

const mebibyte = 1024 * 1024;

let stage: Stage;
let daemon: Dockerd;
let relay: Relay;

beforeAll(async () => {
  stage = await setStage({
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    files: { htpasswd: await passwordFile({ testuser: "testpassword" }) },
  });
  relay = await startRelay(Number(new URL(stage.gate.url).port));
  stage.redirect(new URL(`https://127.0.0.1:${relay.port}`));
  daemon = await stage.newDaemon();
});

afterAll(async () => {
  await stage?.close();
  await relay?.close();
});

/** Tears one connection down in the middle of what is sent that way, and leaves those after it alone. */
function tearOnce(way: Direction, after: number): () => boolean {
  const seen = new Map<number, number>();
  let torn = false;
  relay.tamper((bytes, direction, connection) => {
    if (torn || direction !== way) return undefined;
    const sofar = (seen.get(connection) ?? 0) + bytes.length;
    seen.set(connection, sofar);
    torn = sofar > after;
    return torn ? "reset" : undefined;
  });
  return () => torn;
}

/** How the requests of an operation on a repository ended that moved more than a mebibyte, by the gate's log. */
function endings(repository: string, operation: string): readonly unknown[] {
  return stage.gate
    .lines()
    .filter((line) => line.repository === repository && line.operation === operation)
    .filter(({ bytesReceived, bytesSent }) => Number(bytesReceived) + Number(bytesSent) > mebibyte)
    .map(({ status }) => status);
}

test("a push whose connection is torn is begun again by docker, and arrives whole", async () => {
  const image = `${stage.host}/team/pushed:1`;
  await daemon.load(image, [{ "srv/data": incompressible(16 * mebibyte) }]);
  const pusher = await loggedIn(daemon, stage.host, "testuser", "testpassword");
  const torn = tearOnce("up", 5 * mebibyte);
  expect(await pusher(["push", image])).toMatchObject({ code: 0 });
  expect(torn()).toBe(true);
  // The upload that was torn is logged as one that its client left, and is not the one that was finished.
  await expect.poll(() => endings("team/pushed", "continue-upload")).toEqual([499, 202]);

  const elsewhere = await stage.newDaemon();
  const puller = await loggedIn(elsewhere, stage.host, "testuser", "testpassword");
  expect(await puller(["pull", image])).toMatchObject({ code: 0 });
  expect(await imageId(puller, image)).toBe(await imageId(pusher, image));
});

test("a pull whose connection is torn resumes where it stopped", async () => {
  const image = `${stage.host}/team/pulled:1`;
  await daemon.load(image, [{ "srv/data": incompressible(16 * mebibyte) }]);
  const pusher = await loggedIn(daemon, stage.host, "testuser", "testpassword");
  relay.pass();
  expect(await pusher(["push", image])).toMatchObject({ code: 0 });

  const elsewhere = await stage.newDaemon();
  const puller = await loggedIn(elsewhere, stage.host, "testuser", "testpassword");
  const torn = tearOnce("down", 5 * mebibyte);
  expect(await puller(["pull", image])).toMatchObject({ code: 0 });
  expect(torn()).toBe(true);
  await expect.poll(() => endings("team/pulled", "get-blob")).toEqual([200, 206]);
  expect(await imageId(puller, image)).toBe(await imageId(pusher, image));
});
