import { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { claim, disclaim, isClaimed } from "../../src/respond/claim.ts";
import { sendError } from "../../src/respond/error-response.ts";
import { receivedRequest } from "../received-request.ts";

test("a response can be claimed once, and again where its owner sent nothing", async () => {
  const response = new ServerResponse(await receivedRequest());
  expect([claim(response), claim(response), isClaimed(response)]).toEqual([true, false, true]);
  disclaim(response);
  expect([isClaimed(response), claim(response)]).toEqual([false, true]);
  response.flushHeaders();
  disclaim(response);
  expect([isClaimed(response), claim(response)]).toEqual([true, false]);
});

test.each<[when: string, before: (response: ServerResponse) => void]>([
  ["has a head", (response) => response.flushHeaders()],
  ["is over", (response) => response.end()],
  ["has lost its connection", (response) => response.destroy()],
])("a response that %s already cannot be claimed", async (_, before) => {
  const response = new ServerResponse(await receivedRequest());
  before(response);
  expect(claim(response)).toBe(false);
});

test("an error is not sent on a claimed response", async () => {
  const request = await receivedRequest();
  const response = new ServerResponse(request);
  claim(response);
  expect(sendError(request, response, { status: 400, code: "UNSUPPORTED", message: "no" })).toBe(0);
  expect([response.statusCode, response.getHeaderNames()]).toEqual([200, []]);
});
