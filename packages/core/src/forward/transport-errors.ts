/** The connection to the registry was silent in both directions for too long. */
export class SilentUpstreamError extends Error {
  override readonly name = "SilentUpstreamError";

  constructor(milliseconds: number) {
    super(`no data for ${milliseconds} ms`);
  }
}

/** The client sent no more of the body for too long, while the registry was ready to read it. */
export class StalledBodyError extends Error {
  override readonly name = "StalledBodyError";

  constructor(milliseconds: number) {
    super(`no data for ${milliseconds} ms`);
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
