import type { Identity } from "@registry-gate/auth";
import type { Request, Response, Router } from "express";
import type { SignedIn } from "../sessions/session-data.ts";

/** A way to sign in. */
export interface SignInMethod {
  /** Mounts what is below `/sign-in`. */
  mount(router: Router): void;
  /** The user of a request for a page; `undefined` for nobody. */
  find(request: Request, response: Response): Promise<Identity | undefined>;
  /** Where a browser goes on after its session has ended: a path of this host, or a URL of another. */
  afterSignOut(request: Request, signedOut: SignedIn | undefined): Promise<string>;
  /** Origins of other hosts to which signing out may lead: a form may lead there. */
  signOutOrigins(): readonly string[];
}
