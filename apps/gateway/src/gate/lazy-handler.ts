import type { RequestListener } from "node:http";

/** A handler that is loaded with its first request. Where it cannot be loaded, that is an uncaught error of the process. */
export function lazyHandler(load: () => Promise<RequestListener>): RequestListener {
  let loading: Promise<void> | undefined;
  let loaded: RequestListener | undefined;
  return (request, response) => {
    if (loaded !== undefined) return loaded(request, response);
    loading ??= load().then((handler) => {
      loaded = handler;
    });
    void loading.then(() => {
      // Who has gone meanwhile gets nothing, and nobody would hear that they have gone.
      if (!response.destroyed) loaded?.(request, response);
    });
  };
}
