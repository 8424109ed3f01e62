import { access, constants, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Fault } from "@registry-gate/auth";
import { systemErrorCode, writeFaultReason } from "@registry-gate/auth-kit";
import type { AuditConfiguration } from "../config/sections/audit.ts";

/** What keeps a gate from opening the file of its audit. Nothing is made: a missing file is none, where it can be made. */
export async function inspectAuditFile(audit: AuditConfiguration | undefined): Promise<readonly Fault[]> {
  const { output } = audit ?? {};
  if (output === undefined || typeof output === "string" || !("file" in output)) return [];
  try {
    await tryFile(output.file);
    return [];
  } catch (error) {
    return [auditFileFault(output.file, error)];
  }
}

/** The fault of a file of the audit that `error` kept from being opened. */
export function auditFileFault(file: string, error: unknown): Fault {
  return { path: ["audit", "output", "file"], message: `${reasonOf(error)}: ${file}` };
}

async function tryFile(file: string): Promise<void> {
  try {
    const status = await lstat(file);
    if (status.isSymbolicLink()) throw new Error(symbolicLink);
    if (!status.isFile()) throw new Error("is not a regular file");
    await access(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    await access(dirname(file), constants.W_OK | constants.X_OK);
  }
}

const symbolicLink = "is a symbolic link, which is not followed";

function reasonOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === "ELOOP") return symbolicLink;
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return `cannot be written (${writeFaultReason(code) ?? code})`;
}
