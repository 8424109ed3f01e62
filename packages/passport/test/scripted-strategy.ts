import type { AuthResult } from "@registry-gate/auth";
import { authRequest, basicAsk } from "@registry-gate/auth-testkit";
import {
  type PassportBackendOptions,
  type PassportStrategy,
  passportBackend,
  type StrategyActions,
  type StrategyRequest,
} from "@registry-gate/passport";
import { expect } from "vitest";

/** What a strategy does when it is asked. */
export type Behaviour = (actions: StrategyActions, request: StrategyRequest, options: object) => unknown;

export const alice = basicAsk("alice", "hunter2");

/** The identity of a user that has a name. */
export const named = (user: { name: string }): { username: string } => ({ username: user.name });

export function scripted(behave: Behaviour): PassportStrategy {
  return {
    name: "scripted",
    authenticate(this: StrategyActions, request: StrategyRequest, options: object) {
      return behave(this, request, options);
    },
  };
}

/** What becomes of a login of alice where the strategy behaves so. */
export async function asked(
  behave: Behaviour,
  options: Partial<PassportBackendOptions> = {},
  { signal, id }: { readonly signal?: AbortSignal; readonly id?: string } = {},
): Promise<AuthResult> {
  const context = id === undefined ? {} : { id };
  const backend = await passportBackend({ strategy: scripted(behave), identity: named, ...options }, context);
  return backend.authenticate(authRequest(alice, signal));
}

/** A fault of the backend with a message like this. */
export function unavailable(reason: string | RegExp): unknown {
  return expect.objectContaining({
    code: "BACKEND_UNAVAILABLE",
    backend: "scripted",
    message: expect.stringMatching(reason),
  });
}
