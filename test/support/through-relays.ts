import type { AuthBackend, BackendContext } from "@registry-gate/auth";
import type { BackendFixture } from "@registry-gate/auth-testkit";
import { blackHole, type Relay } from "./relay.ts";

/**
 * The parts of a contract's fixture that are the same for every server: each backend reaches its own through a relay, by
 * which the server can be taken away from it.
 */
export function throughRelays(
  startRelay: () => Promise<Relay>,
  open: (relay: Relay, context: BackendContext) => Promise<AuthBackend>,
): Required<Pick<BackendFixture, "open" | "outage" | "silence">> & { close(): Promise<void> } {
  const relays = new Map<AuthBackend, Relay>();
  const relayOf = (backend: AuthBackend): Relay => {
    const relay = relays.get(backend);
    if (relay === undefined) throw new Error("the backend is not one of these");
    return relay;
  };
  return {
    async open(context) {
      const relay = await startRelay();
      const backend = await open(relay, context);
      relays.set(backend, relay);
      return backend;
    },
    async outage(backend) {
      const relay = relayOf(backend);
      relay.tamper(() => "reset");
      relay.resetAll();
      return async () => relay.pass();
    },
    async silence(backend) {
      const relay = relayOf(backend);
      relay.tamper(blackHole);
      return async () => relay.pass();
    },
    async close() {
      await Promise.all([...relays.values()].map((relay) => relay.close()));
    },
  };
}
