import { type Deadline, type NoResult, waitFor } from "./deadline.ts";

/**
 * A passport strategy, as far as it matters here: `authenticate` is called, and calls one of the actions
 * that are put on it beforehand, as passport itself does.
 */
export interface PassportStrategy {
  readonly name?: string | undefined;
  /** Must call one of {@link StrategyActions} on `this`, at once or later. */
  authenticate(...parameters: never[]): unknown;
}

export function isStrategy(value: unknown): value is PassportStrategy {
  return (
    typeof value === "object" && value !== null && "authenticate" in value && typeof value.authenticate === "function"
  );
}

/** The actions that passport puts on a strategy for one request; the strategy calls one of them. */
export interface StrategyActions {
  /** The request is authenticated as `user`. */
  success(user: unknown, info?: unknown): void;
  /**
   * The request is not authenticated.
   *
   * @param challenge A challenge for `WWW-Authenticate`, or a message; or a status in its place.
   */
  fail(challenge?: unknown, status?: number): void;
  /** Redirects the user, such as to a login page. */
  redirect(url: string, status?: number): void;
  /** Neither success nor failure. */
  pass(): void;
  /** The strategy could not find out. */
  error(error: unknown): void;
}

/** The action that a strategy called. */
export type Outcome =
  | { readonly kind: "success"; readonly user: unknown; readonly info: unknown }
  | { readonly kind: "failure"; readonly challenge: unknown; readonly status: number | undefined }
  | { readonly kind: "redirect" | "pass" }
  /** It called `error`, threw, or returned a promise that was rejected. */
  | { readonly kind: "error"; readonly error: unknown };

/**
 * Runs a strategy once, on an object of its own that inherits from it, so that concurrent requests stay apart.
 * Its first action counts. Never rejects.
 *
 * @param options What the strategy is given beside the request: passport's second argument of `authenticate`.
 */
export function runStrategy(
  strategy: PassportStrategy,
  request: object,
  options: object,
  deadline: Deadline,
): Promise<Outcome | NoResult> {
  return waitFor<Outcome>(deadline, (settle) => {
    const actions: StrategyActions = {
      success: (user, info) => settle({ kind: "success", user, info }),
      fail: (challenge, status) =>
        settle(
          typeof challenge === "number"
            ? { kind: "failure", challenge: undefined, status: challenge }
            : { kind: "failure", challenge, status },
        ),
      redirect: () => settle({ kind: "redirect" }),
      pass: () => settle({ kind: "pass" }),
      error: (error) => settle({ kind: "error", error }),
    };
    try {
      const actor: unknown = Object.assign(Object.create(strategy), actions);
      const returned: unknown = Reflect.apply(strategy.authenticate, actor, [request, options]);
      // A promise of whatever make.
      Promise.resolve(returned).catch((error: unknown) => settle({ kind: "error", error }));
    } catch (error) {
      settle({ kind: "error", error });
    }
  });
}
