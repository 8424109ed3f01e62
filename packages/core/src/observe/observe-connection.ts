import { upstreamConnection } from "./channels.ts";

/** Publishes the events of a connection that is being opened. */
export class ConnectionObserver {
  readonly #upstream: string;
  #since: number = performance.now();
  #opened = false;

  /** @param upstream The registry's host and port. */
  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** It is usable. */
  opened(): void {
    upstreamConnection.publish(() => ({ ...this.#state(), event: "opened" }));
    this.#opened = true;
    this.#since = performance.now();
  }

  /** @param error Why it failed. */
  closed(error: Error | null): void {
    upstreamConnection.publish(() =>
      this.#opened ? { ...this.#state(), event: "closed" } : { ...this.#state(), event: "failed", code: codeOf(error) },
    );
  }

  #state(): { readonly upstream: string; readonly milliseconds: number } {
    return { upstream: this.#upstream, milliseconds: performance.now() - this.#since };
  }
}

function codeOf(error: Error | null): string | undefined {
  if (error === null) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
