import { ServerResponse } from "node:http";
import type { UserPrincipal } from "@registry-gate/auth";
import { addressSet } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { clientOf } from "../../src/client/client.ts";
import { finish, requestContext } from "../../src/observe/request-context.ts";
import { receivedRequest } from "../received-request.ts";

test("leaves the revision of an identity out of the record", async () => {
  const request = await receivedRequest();
  const identity = { subject: "alice", username: "alice", groups: ["pushers"], backend: "users" };
  const principal: UserPrincipal = { kind: "user", identity: { ...identity, revision: "canary" }, via: "basic" };
  for (let round = 0; round < 2; round++) {
    const context = requestContext(request, new ServerResponse(request), clientOf(request, addressSet([])));
    context.principal = principal;
    const record = finish(context);
    expect(record.principal).toEqual({ kind: "user", identity, via: "basic" });
    expect(JSON.stringify(record)).not.toContain("canary");
  }
  expect(principal.identity.revision).toBe("canary");
});
