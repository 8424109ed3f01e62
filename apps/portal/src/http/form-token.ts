import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Request, Response } from "express";
import { currentSecrets, type Secrets } from "../sessions/secrets.ts";

/** The tokens by which forms say that a page of the portal has made them, for the browser that sends them. */
export interface FormTokens {
  /** For a form that the response shows. */
  issue(request: Request, response: Response): string;
  /** Whether a form that was sent has the token of its session, or, before there is one, of its browser. */
  accepts(request: Request, token: unknown): boolean;
}

const visitorPattern = /^[\w-]{22}$/;

/**
 * In a session the token is one that the session keeps. Who has not signed in yet has no session, which would cost the state store
 * an entry for each that comes by: then it is the HMAC of a random cookie.
 */
export function formTokens(secrets: Secrets, secure: boolean): FormTokens {
  const cookieName = secure ? "__Host-portal-visitor" : "portal-visitor";

  function visitorOf(request: Request): string | undefined {
    const pairs = (request.headers.cookie ?? "").split(/; */).map((pair) => pair.split("=", 2));
    const values = pairs.filter(([name]) => name === cookieName).map(([, value = ""]) => value);
    const [visitor] = values;
    return values.length === 1 && visitor !== undefined && visitorPattern.test(visitor) ? visitor : undefined;
  }

  return {
    issue(request, response) {
      const { formToken } = request.session ?? {};
      if (formToken !== undefined) return formToken;
      const known = visitorOf(request);
      const visitor = known ?? randomBytes(16).toString("base64url");
      if (known === undefined) {
        response.cookie(cookieName, visitor, { httpOnly: true, sameSite: "lax", secure, path: "/" });
      }
      const [current = ""] = currentSecrets(secrets);
      return tokenOf(current, visitor);
    },
    accepts(request, token) {
      if (typeof token !== "string") return false;
      const { formToken } = request.session ?? {};
      if (formToken !== undefined) return equal(token, formToken);
      const visitor = visitorOf(request);
      return visitor !== undefined && currentSecrets(secrets).some((secret) => equal(token, tokenOf(secret, visitor)));
    },
  };
}

function tokenOf(secret: string, visitor: string): string {
  return createHmac("sha256", secret).update(`form token of ${visitor}`).digest("base64url");
}

function equal(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
