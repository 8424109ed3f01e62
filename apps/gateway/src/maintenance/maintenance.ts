import type { Logger } from "@registry-gate/auth";
import type { ReadOnlySwitch } from "@registry-gate/core";
import type { MaintenanceConfiguration } from "../config/sections/maintenance.ts";
import { type MaintenanceState, maintenanceState, type ReadOnlyCause } from "../observe/maintenance.ts";
import { existsNow, followExistence } from "./file-existence.ts";

/** Turns the switch that refuses writes, by configuration, file and signal: it is on while any of them says so. */
export interface Maintenance {
  readonly state: MaintenanceState;
  /** Puts the configuration in force, before anything else happens. The file is followed from now on. */
  apply(configuration: MaintenanceConfiguration | undefined): void;
  /** Turns what a signal says, and nothing else: it never ends what a file or the configuration has begun. */
  toggleBySignal(): void;
  /** Stops following the file. */
  close(): void;
}

export function openMaintenance(readOnly: ReadOnlySwitch, log: Pick<Logger, "info" | "warn">): Maintenance {
  const says: Record<ReadOnlyCause, boolean> = { configuration: false, file: false, signal: false };
  let causes: readonly ReadOnlyCause[] = [];
  let file: string | undefined;
  let watch: { close(): void } | undefined;
  /** Of the time since the causes last changed. */
  let period: symbol | undefined;

  const state = (): MaintenanceState => ({
    readOnly: readOnly.on,
    causes,
    writesInFlight: readOnly.writesInFlight,
  });

  function update(): void {
    const next = (["configuration", "file", "signal"] as const).filter((cause) => says[cause]);
    if (next.join() === causes.join()) return;
    causes = next;
    const on = causes.length > 0;
    readOnly.set(on);
    const { writesInFlight } = readOnly;
    log.info(
      { event: "read-only", readOnly: on, causes, writesInFlight },
      on
        ? "the registry is read-only: writes are refused"
        : "the registry is not read-only any more: writes are admitted",
    );
    maintenanceState.publish(state);
    void reportEndOfWrites();
  }

  /** Once for each change that leaves it on: whoever has made the file waits for this line, on already or not. */
  async function reportEndOfWrites(): Promise<void> {
    const mine = Symbol("read-only");
    period = mine;
    if (!readOnly.on) return;
    await readOnly.writesEnded();
    if (period !== mine) return;
    log.info(
      { event: "no writes in flight" },
      "no write is in flight: the registry changes no more while it is read-only",
    );
    maintenanceState.publish(state);
  }

  function follow(path: string | undefined): void {
    if (path === file) return;
    watch?.close();
    file = path;
    watch = undefined;
    says.file = false;
    if (path === undefined) return;
    // Whether a file that cannot be looked at exists was found out before, and was a fault: this is one that came later.
    const onError = (error: unknown): void =>
      log.warn(
        { event: "file unreadable", file: path, err: error },
        "cannot look for maintenance.file; nothing changes",
      );
    try {
      says.file = existsNow(path);
    } catch (error) {
      says.file = true;
      onError(error);
    }
    watch = followExistence(path, {
      onChange(exists) {
        says.file = exists;
        update();
      },
      onError,
    });
  }

  return {
    get state() {
      return state();
    },
    apply({ readOnly: configured = false, file: path } = {}) {
      says.configuration = configured;
      follow(path);
      update();
    },
    toggleBySignal() {
      says.signal = !says.signal;
      update();
    },
    close: () => watch?.close(),
  };
}
