import { onTestFinished } from "vitest";
import { type GateSettings, type RunningGate, startGate } from "./gate.ts";

/** Gates of a test file, all in front of one registry and with one password file. */
export interface Gates {
  /** Of a gate, with further sections or others. */
  configuration(changes?: object): object;
  /** Starts one with this configuration. It is closed when the test has finished. */
  start(changes?: object, settings?: Omit<GateSettings, "configuration">): Promise<RunningGate>;
}

/**
 * @param registry Its URL.
 * @param htpasswd The password file, as in `test/support/password-file.ts`.
 * @param sections Of each configuration, besides what every gate has or in its place.
 */
export function gatesBefore(registry: string, htpasswd: string, sections: object = {}): Gates {
  const configuration = (changes: object = {}): object => ({
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    ...sections,
    ...changes,
  });
  return {
    configuration,
    async start(changes, { files = {}, ...settings } = {}) {
      const gate = await startGate({
        configuration: configuration(changes),
        files: { htpasswd, ...files },
        ...settings,
      });
      onTestFinished(() => gate.close());
      return gate;
    },
  };
}
