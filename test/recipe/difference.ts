import type { Response } from "./front.ts";

/** Where the gate responds differently from the recipe, on purpose. */
export interface Difference {
  readonly reason: string;
  /** The gate's response, whole, given the recipe's. */
  readonly gate: (recipe: Response) => Response;
}

export interface GateError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** What the caller would have to be allowed. */
  readonly action?: "pull" | "push";
  /** Beyond those that every error of the gate has. */
  readonly headers?: Readonly<Record<string, string>>;
}

const uuidLength = 36;

/** The gate responds with an error of its own. */
export function ownError(reason: string, { status, code, message, action, headers }: GateError): Difference {
  const missing = action === undefined ? {} : { accesses: [{ type: "repository", action }] };
  const detail = { requestId: "<uuid>", ...missing };
  const body = JSON.stringify({ errors: [{ code, message, detail }] });
  return {
    reason,
    gate: ({ complete }) => ({
      status,
      headers: {
        ...headers,
        // Of an id as it is sent, which no two responses have in common.
        "content-length": String(body.length - "<uuid>".length + uuidLength),
        "content-type": "application/json; charset=utf-8",
        "docker-distribution-api-version": "registry/2.0",
        "x-content-type-options": "nosniff",
      },
      body,
      complete,
    }),
  };
}

/** The head alone, as the response to `HEAD`. */
export function headOf({ reason, gate }: Difference): Difference {
  return { reason, gate: (recipe) => ({ ...gate(recipe), body: "" }) };
}

export const inOciFormat =
  "an error of the gate's own is in the format of the OCI specification, which docker reads, and no page for browsers";
