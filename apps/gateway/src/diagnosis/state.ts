import type { DiagnosisStep } from "@registry-gate/auth";
import { openState } from "@registry-gate/state";
import { timedStep } from "./timed-step.ts";

/** Asks a Redis whether it can be used as the state store. */
export function diagnoseRedis(redis: string): Promise<DiagnosisStep> {
  const { protocol, host } = new URL(redis);
  return timedStep("ping", `${protocol}//${host}`, async () => {
    const store = await openState({ redis }, { directory: "/" });
    try {
      await store.check();
      return { outcome: "ok", about: "backend", details: {} };
    } finally {
      await store.close();
    }
  });
}
