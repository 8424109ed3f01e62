import { rename, writeFile } from "node:fs/promises";
import { formatRun, type RunRecord } from "./run-record.ts";

/** Puts a run into a file at one stroke: however the command ends, the file is whole. */
export async function keepRun(file: string, run: RunRecord): Promise<void> {
  await writeFile(`${file}.new`, formatRun(run));
  await rename(`${file}.new`, file);
}
