import type { AuthBackend, AuthRequest, AuthResult, BackendContext } from "@registry-gate/auth";
import type { BackendFixture } from "./fixture.ts";
import { type RecordingLog, recordingLog } from "./recording-log.ts";
import { type Ask, authRequest } from "./request.ts";

/** One promise of the contract, as a test for any runner: `run` rejects with an `AssertionError` where it is broken. */
export interface ContractCase {
  readonly name: string;
  /**
   * Tests the promise on a backend that is opened for it.
   *
   * @throws {AssertionError} that says which promise was broken.
   */
  run(): Promise<void>;
}

/** A backend that was opened for one case. */
export interface Opened {
  readonly backend: AuthBackend;
  readonly id: string;
  readonly log: RecordingLog;
  ask(ask: Ask, signal?: AbortSignal): Promise<AuthResult>;
}

/** The name that the backends of the cases are given. */
export const givenId = "backend-under-test";

/** How long anything may take that is to be prompt, in milliseconds: generous for a busy machine, short for a user. */
export const promptly = 2000;

/** Makes a case of what is to hold for a backend that was opened for it alone, and is closed after it. */
export function caseOf(fixture: BackendFixture, name: string, check: (opened: Opened) => Promise<void>): ContractCase {
  return {
    name,
    async run() {
      const log = recordingLog();
      const context: BackendContext = { id: givenId, baseDirectory: process.cwd(), log: log.log, warn: log.warn };
      const backend = await fixture.open(context);
      const ask = (what: Ask, signal?: AbortSignal): Promise<AuthResult> => {
        const request: AuthRequest = authRequest(what, signal);
        return backend.authenticate(request);
      };
      try {
        await check({ backend, id: givenId, log, ask });
      } finally {
        await backend.close?.();
      }
    },
  };
}
