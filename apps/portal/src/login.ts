import { randomBytes } from "node:crypto";
import type { AuthBackend } from "@registry-gate/auth";
import type { Authenticator } from "@registry-gate/core";
import { backendStrategy } from "@registry-gate/passport";
import type { RequestHandler } from "express";
import session from "express-session";
import { Passport } from "passport";
import { asSignedIn } from "./signed-in-user.ts";

const eightHours = 8 * 60 * 60 * 1000;

export interface Login {
  /** Keeps sessions, and finds their users. */
  readonly whoItIs: readonly RequestHandler[];
  /**
   * Judges the login form, and signs in by a new session: one that was foisted on the browser before is worth nothing.
   */
  readonly judgeForm: RequestHandler;
  close(): void;
}

/**
 * Sets up passport with the authenticator that docker clients are judged by.
 *
 * @param users The backend behind it.
 * @param secure Whether browsers come over TLS.
 */
export function login(users: AuthBackend, authenticator: Authenticator, secure: boolean): Login {
  // Sessions of before a change end with it: somebody may have lost their account, or a group.
  let changes = 0;
  const unsubscribe = users.onChange?.(() => {
    changes++;
  });
  const passport = new Passport();
  passport.use(backendStrategy(authenticator, { name: "login-form", from: "form" }));
  passport.serializeUser((user, done) => done(null, { ...asSignedIn(user), changes }));
  passport.deserializeUser((kept: unknown, done) => {
    const current = typeof kept === "object" && kept !== null && "changes" in kept && kept.changes === changes;
    done(null, current ? asSignedIn(kept) : false);
  });
  return {
    whoItIs: [
      session({
        // Browsers take a name that begins so only over TLS, from this host and for all of it (RFC 6265bis).
        name: secure ? "__Host-portal" : "portal",
        secret: randomBytes(32).toString("base64"),
        resave: false,
        saveUninitialized: false,
        cookie: { httpOnly: true, sameSite: "lax", secure, path: "/", maxAge: eightHours },
      }),
      passport.session(),
    ],
    judgeForm: passport.authenticate("login-form", { failureRedirect: "/login/failed" }),
    close: () => unsubscribe?.(),
  };
}
