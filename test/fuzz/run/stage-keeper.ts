import type { CertificateFiles } from "../../support/certificate.ts";
import { type Stage, startStage } from "./stage.ts";

/** Has a stage ready, a new one where the gate of the last is gone. */
export interface StageKeeper {
  stage(): Promise<Stage>;
  /** Gives up the present one. */
  renew(): Promise<void>;
}

export function stageKeeper(certificate?: CertificateFiles): StageKeeper {
  let current: Stage | undefined;

  async function renew(): Promise<void> {
    const former = current;
    current = undefined;
    await former?.close();
  }

  return {
    async stage() {
      if (current?.usable() === false) await renew();
      current ??= await startStage({ certificate });
      return current;
    },
    renew,
  };
}
