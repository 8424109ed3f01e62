import type { Throttled } from "@registry-gate/core";

/** Too many logins have failed: this one was not checked. Express answers it with its `status` and `headers`. */
export class TooManyFailuresError extends Error {
  override readonly name = "TooManyFailuresError";
  readonly status = 429;
  readonly headers: Readonly<Record<string, string>>;

  constructor({ reason, retryAfter }: Throttled) {
    super(reason);
    this.headers = { "Retry-After": `${retryAfter}` };
  }
}
