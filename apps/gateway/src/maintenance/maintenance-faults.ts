import { dirname } from "node:path";
import type { Fault } from "@registry-gate/auth";
import { systemErrorCode } from "@registry-gate/auth-kit";
import type { MaintenanceConfiguration } from "../config/sections/maintenance.ts";
import { existsNow } from "./file-existence.ts";

/** Finds out whether the file of the switch can be followed. */
export function maintenanceFaults({ file }: MaintenanceConfiguration = {}): {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
} {
  if (file === undefined) return { faults: [], warnings: [] };
  const path = ["maintenance", "file"];
  try {
    // Whether a file exists that cannot be looked at is not known, and no guess is safe.
    if (existsNow(file) || existsNow(dirname(file))) return { faults: [], warnings: [] };
    // A service manager may make it, or a script together with the file.
    return { faults: [], warnings: [{ path, message: `its directory does not exist: ${file}` }] };
  } catch (error) {
    return { faults: [{ path, message: `cannot be looked for: ${file} (${systemErrorCode(error)})` }], warnings: [] };
  }
}
