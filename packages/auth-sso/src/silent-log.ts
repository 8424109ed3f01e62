import type { Logger } from "@registry-gate/auth";

const ignore = (): void => {};

/** Where no log was given. */
export const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
