import { type Channel, openChannel } from "@registry-gate/auth-kit";

/** What can make the registry read-only: `maintenance.readOnly`, `maintenance.file`, or SIGUSR2. */
export type ReadOnlyCause = "configuration" | "file" | "signal";

/** Whether writes are refused. */
export interface MaintenanceState {
  readonly readOnly: boolean;
  /** Everything that makes it so at present. */
  readonly causes: readonly ReadOnlyCause[];
  /** Writes that were admitted and have not ended. While writes are refused, 0 means that the registry changes no more. */
  readonly writesInFlight: number;
}

/** Published when the state or its causes change, and when the last write ends after that. */
export const maintenanceState: Channel<MaintenanceState> = openChannel("registry-gate:maintenance:state");
