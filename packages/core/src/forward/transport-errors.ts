/** The registry was connected and then said nothing, and took nothing, for as long as it may. */
export class SilentUpstreamError extends Error {
  override readonly name = "SilentUpstreamError";

  constructor(milliseconds: number) {
    super(`silent for ${milliseconds} ms`);
  }
}

/** The client owed more of the body, which the registry would have taken, for as long as it may. */
export class StalledBodyError extends Error {
  override readonly name = "StalledBodyError";

  constructor(milliseconds: number) {
    super(`silent for ${milliseconds} ms`);
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
