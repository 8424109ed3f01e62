import { availableParallelism } from "node:os";
import { z } from "zod";
import type { Section } from "../section.ts";

/** How many processes handle requests; `auto`: one a core. */
export type WorkersConfiguration = number | "auto";

const form = "must be auto or a whole number from 1 to 256";

export const workersSection: Section<WorkersConfiguration> = {
  schema: z.union([z.literal("auto"), z.int().min(1).max(256)], form),
  substitutes: [{ path: [], value: undefined }],
};

/** How many that is on this machine. */
export function workerCount(workers: WorkersConfiguration = 1): number {
  return workers === "auto" ? availableParallelism() : workers;
}
