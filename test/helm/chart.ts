import { resolve } from "node:path";

/** The chart's directory. */
export const chart: string = resolve(import.meta.dirname, "../../apps/gateway/deploy/helm/registry-gate");
