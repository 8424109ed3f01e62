import { ServerResponse } from "node:http";
import { addressSet } from "@registry-gate/auth-kit";
import { expect, test, vi } from "vitest";
import { clientOf } from "../../src/client/client.ts";
import { failInternally } from "../../src/forward/forward.ts";
import { finish, requestContext } from "../../src/observe/request-context.ts";
import { receivedRequest } from "../received-request.ts";

test("logs an internal error, and reveals nothing of it to the client", async () => {
  const request = await receivedRequest();
  const response = new ServerResponse(request);
  const end = vi.spyOn(response, "end");
  const context = requestContext(request, response, clientOf(request, addressSet([])));
  const logged: unknown[] = [];
  const note = (fields: object, message: string): void => void logged.push({ ...fields, message });
  const error = new Error("secret-5000");
  failInternally(context, error, { debug: note, info: note, warn: note, error: note });
  expect(JSON.parse(String(end.mock.calls[0]?.[0]))).toEqual({
    errors: [
      { code: "UNKNOWN", message: expect.not.stringContaining("secret"), detail: { requestId: context.requestId } },
    ],
  });
  expect(finish(context)).toMatchObject({ outcome: "internal-error", reason: "internal error" });
  expect(response.statusCode).toBe(500);
  expect(logged).toEqual([{ requestId: context.requestId, err: error, message: "internal error" }]);
});
