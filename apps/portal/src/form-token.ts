import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";

declare module "express-session" {
  interface SessionData {
    formToken: string;
  }
}

/** The secret that our own forms send along, and that no foreign page can know. It is of one session. */
export function formToken(request: Request): string {
  request.session.formToken ??= randomBytes(32).toString("base64url");
  return request.session.formToken;
}

/** Lets through what one of our own forms sent. */
export const requireFormToken: RequestHandler = (request, response, next) => {
  const expected = Buffer.from(request.session.formToken ?? "");
  const { token = "" }: { token?: unknown } = request.body ?? {};
  const given = Buffer.from(typeof token === "string" ? token : "");
  if (expected.length > 0 && expected.length === given.length && timingSafeEqual(expected, given)) return next();
  response.status(403).type("text").send("This form belongs to another session. Go back and reload the page.");
};
