import type { Difference } from "./difference.ts";
import { type Ask, ask, type Front, type Response, read } from "./front.ts";

/** One request of a conversation, and what is expected of both fronts. */
export interface Step {
  readonly method: string;
  /** Or `Location`: where the last response that had one points to, with `query` added. */
  readonly target: string;
  readonly query?: string;
  readonly headers?: Ask["headers"];
  readonly body?: Ask["body"];
  /** What nginx with the recipe answers. */
  readonly status: number;
  /** Without it both responses must be equal. */
  readonly differs?: Difference;
}

/** Requests that belong together, each after the response to the one before. */
export interface Conversation {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Holds a conversation with a front. */
export async function converse(front: Front, { steps }: Conversation): Promise<readonly Response[]> {
  let location = "";
  const responses: Response[] = [];
  for (const { method, target, query, headers = {}, body } of steps) {
    const response = await ask(front, {
      method,
      target: target === "Location" ? withQuery(location, query) : target,
      headers,
      ...(body !== undefined && { body }),
    });
    location = response.headers.location ?? location;
    responses.push(await read(front, response));
  }
  return responses;
}

/** As docker reads a `Location`: absolute, or relative to what was asked. */
function withQuery(location: string, query: string | undefined): string {
  const url = new URL(location, "https://front/");
  for (const [name, value] of new URLSearchParams(query)) url.searchParams.append(name, value);
  return url.pathname + url.search;
}
