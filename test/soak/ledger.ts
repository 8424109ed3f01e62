import type { Call, Reply } from "./http-client.ts";

/** A write that a client saw accepted. */
export interface AcceptedWrite {
  readonly event: "push" | "delete";
  readonly username: string;
  readonly repository: string;
  readonly reference: string;
  /** As in the response's `X-Request-Id`, by which the audit names the request. */
  readonly requestId: string;
}

/** An image that can be pulled, as far as its owner knows. */
export interface KeptImage {
  readonly username: string;
  readonly repository: string;
  readonly digest: string;
  readonly layer: string;
}

/** What clients saw, and what of it must never have been. */
export interface Ledger {
  readonly writes: readonly AcceptedWrite[];
  /** Images by their repository and digest. */
  readonly images: ReadonlyMap<string, KeptImage>;
  readonly violations: readonly string[];
  /** How many responses there were of each status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly pulls: number;
  reply(username: string, call: Call, reply: Reply): void;
  keep(image: KeptImage): void;
  /** The owner begins to delete it: from here on it may be gone. */
  letGo(image: KeptImage): void;
  pulled(): void;
  violate(violation: string): void;
}

const write = /^\/v2\/(.+)\/manifests\/([^/?]+)$/;
/** Further ones are of no use to whoever reads them. */
const mostViolations = 100;

export function ledger(): Ledger {
  const writes: AcceptedWrite[] = [];
  const images = new Map<string, KeptImage>();
  const violations: string[] = [];
  const statuses = new Map<number, number>();
  const key = ({ repository, digest }: KeptImage): string => `${repository}@${digest}`;
  let pulls = 0;
  return {
    writes,
    images,
    violations,
    statuses,
    get pulls() {
      return pulls;
    },
    reply(username, { method, target }, { status, headers }) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const [, repository, reference] = write.exec(target) ?? [];
      if (repository === undefined || reference === undefined) return;
      const event = method === "PUT" && status === 201 ? "push" : method === "DELETE" && status === 202 ? "delete" : "";
      if (event === "") return;
      writes.push({ event, username, repository, reference, requestId: String(headers["x-request-id"]) });
    },
    keep: (image) => void images.set(key(image), image),
    letGo: (image) => void images.delete(key(image)),
    pulled() {
      pulls++;
    },
    violate(violation) {
      if (violations.length < mostViolations) violations.push(violation);
    },
  };
}
