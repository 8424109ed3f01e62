/** The registry was connected and then said nothing, and took nothing, for as long as it may. */
export class SilentUpstreamError extends Error {
  override readonly name = "SilentUpstreamError";

  constructor(milliseconds: number) {
    super(`silent for ${milliseconds} ms`);
  }
}
