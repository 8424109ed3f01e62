import type { RequestRecord } from "@registry-gate/core";
import { memoryState } from "@registry-gate/state";
import { expect, onTestFinished, test } from "vitest";
import { openActivity } from "../src/index.ts";

function push(repository: string, more: Partial<RequestRecord> = {}): RequestRecord {
  return {
    ...{ requestId: "1", method: "PUT", operation: "put-manifest", repository, reference: "1.0", status: 201 },
    ...{ tags: undefined, digest: undefined, mediaType: undefined, origin: undefined, client: "127.0.0.1" },
    ...{
      agent: "docker/28.0",
      username: "alice",
      attemptedUsername: undefined,
      loginRejected: false,
      cache: undefined,
    },
    ...{ backend: "users", principal: undefined, decision: "allowed", rule: 0, issuedToken: undefined },
    ...{ phase: "respond", outcome: "completed", reason: "", bytesReceived: 0, bytesSent: 0, milliseconds: 1 },
    ...{ gateMilliseconds: 1, upstreamMilliseconds: undefined, announced: false },
    ...more,
  };
}

test("when a repository was pushed to last is known to all processes, and for those that were pushed to alone", async () => {
  const state = memoryState();
  onTestFinished(() => state.close());
  const [here, there] = [openActivity({ state }), openActivity({ state })];
  const before = Date.now();
  here.finished(push("team/app"));
  here.finished(push("team/denied", { decision: "denied", status: 403 }));
  here.finished(push("team/read", { operation: "get-manifest", method: "GET", status: 200 }));
  await here.close();
  const names = ["team/app", "team/denied", "team/read", "team/never"];
  const found = await there.lastPushed(names);
  expect([...found.keys()]).toEqual(["team/app"]);
  const first = found.get("team/app") ?? 0;
  expect(first).toBeGreaterThanOrEqual(before);
  expect(first).toBeLessThanOrEqual(Date.now());

  there.finished(push("team/app"));
  expect((await there.lastPushed(names)).get("team/app")).toBeGreaterThanOrEqual(first);
});

test("who listens hears of each push, and of nothing else", async () => {
  const state = memoryState();
  onTestFinished(() => state.close());
  const activity = openActivity({ state });
  const heard: string[] = [];
  activity.onPush((repository) => heard.push(repository));
  activity.finished(push("team/app"));
  activity.finished(push("team/app", { decision: "denied", status: 403 }));
  activity.finished(push("team/lib"));
  await activity.close();
  expect(heard).toEqual(["team/app", "team/lib"]);
});
