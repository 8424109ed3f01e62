import type { Marker } from "../case/marker.ts";
import { type Action, may, userOf } from "../oracle.ts";
import { operationOf, type RegistryOperation } from "../registry/operation.ts";
import type { ReceivedRequest, RegistryObserver } from "../registry/received.ts";
import type { ReceivedHead } from "../registry/request-stream.ts";
import type { PlannedCase, PlannedRequest } from "../run/plan.ts";
import type { Violation } from "./violation.ts";

/** Judges everything that the registry is sent. */
export interface UpstreamJudge extends RegistryObserver {
  expect(planned: PlannedCase): void;
  forget(planned: PlannedCase): void;
  planned(marker: Marker): PlannedRequest | undefined;
  /** Whether a request of this marker or address, or what followed its response, crossed with what it must not meet. */
  hasCrossed(markerOrAddress: string): boolean;
  /** What was found since the last time. */
  take(): Violation[];
  /** How many requests of each kind the registry was asked to do. */
  readonly done: ReadonlyMap<string, number>;
}

/** Sent by the gate on its own behalf, or about no repository. */
const ofNoRepository = /^\/v2\/(?:_catalog(?:\?.*)?)?$/;
const noForm = new URLSearchParams();

export function upstreamJudge(): UpstreamJudge {
  const requests = new Map<Marker, PlannedRequest>();
  const seen = new Map<Marker, number>();
  const crossed = new Set<string>();
  const done = new Map<string, number>();
  let violations: Violation[] = [];

  function report(kind: Violation["kind"], text: string, ...markers: readonly (Marker | undefined)[]): void {
    violations.push({ kind, text, markers: markers.filter((marker) => marker !== undefined) });
  }

  function received({ marker, head }: ReceivedRequest): void {
    const line = `${head.method} ${head.target}`;
    if (marker === undefined) {
      if (!ofNoRepository.test(head.target)) report("smuggled", `a request that nobody sent\n${line}`, undefined);
      return;
    }
    if (marker.startsWith("v")) return;
    const planned = requests.get(marker);
    if (planned === undefined) {
      report("smuggled", `what nobody sent as a request\n${line}`, marker);
      return;
    }
    const times = (seen.get(marker) ?? 0) + 1;
    seen.set(marker, times);
    // A read may be sent again where a kept connection was just closed.
    const most = head.method === "GET" || head.method === "HEAD" ? 2 : 1;
    if (times > most) report("smuggled", `a request came ${times} times\n${line}`, marker);
    if (head.method !== planned.spec.method.trim()) {
      report("smuggled", `another method than the client's ${planned.spec.method}\n${line}`, marker);
    }
    const address = addressIn(head);
    if (address !== planned.address) report("upstream-form", `X-Real-Ip is ${address}\n${line}`, marker);
    authorise(planned, line, operationOf(head.method, head.target, noForm));
  }

  function authorise(planned: PlannedRequest, line: string, operation: RegistryOperation | undefined): void {
    const { marker, spec } = planned;
    if (operation === undefined) {
      report("smuggled", `a request about no repository\n${line}`, marker);
      return;
    }
    const user = userOf(spec.logins);
    const who = spec.logins.length === 0 ? "nobody" : spec.logins.join(" and ");
    const need = (action: Action, repository: string): void => {
      if (user === undefined || !may(user, action, repository)) {
        report("unauthorised", `${who} may not ${action} ${repository.split("/", 1)[0]}\n${line}`, marker);
      }
    };
    need(operation.action, operation.repository);
    if (operation.from !== undefined) need("pull", operation.from);
  }

  function belongToOthers(marker: Marker | undefined, after: Marker | undefined): boolean {
    const [one, other] = [marker, after].map((name) => (name === undefined ? undefined : requests.get(name)));
    return one !== undefined && other !== undefined && userOf(one.spec.logins) !== userOf(other.spec.logins);
  }

  return {
    expect({ connections }) {
      for (const { requests: all } of connections) for (const planned of all) requests.set(planned.marker, planned);
    },
    forget({ connections }) {
      // Addresses come again.
      crossed.clear();
      for (const { requests: all } of connections) {
        for (const { marker } of all) {
          requests.delete(marker);
          seen.delete(marker);
        }
      }
    },
    planned: (marker) => requests.get(marker),
    hasCrossed: (markerOrAddress) => crossed.has(markerOrAddress),
    received,
    acted({ marker, head }, operation) {
      const planned = marker === undefined ? undefined : requests.get(marker);
      const name = operation === undefined ? "other" : `${head.method} ${operation.action}`;
      if (marker?.startsWith("v") !== true) done.set(name, (done.get(name) ?? 0) + 1);
      if (planned !== undefined) authorise(planned, `${head.method} ${head.target}`, operation);
    },
    suspicious: (reason, ...markers) => report("upstream-form", reason, ...markers),
    crossed({ marker, head }, after) {
      // Whatever crosses, a connection that carried one user's request carries no other user's.
      if (belongToOthers(marker, after)) report("leak", "two users shared a connection to the registry", marker, after);
      for (const name of [marker, addressIn(head), after]) if (name !== undefined) crossed.add(name);
    },
    take() {
      const found = violations;
      violations = [];
      return found;
    },
    done,
  };
}

/** The client's, as the gate says. */
function addressIn({ headers }: ReceivedHead): string | undefined {
  return headers.find(([name]) => name === "x-real-ip")?.[1];
}
