import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runGate } from "../gateway/run-gate.ts";
import { closingStack } from "../support/closing-stack.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type CommandResult, runCommand } from "../support/run.ts";

/** A gate before a real registry, a person's client, and the commands of the guide. */
export interface Place {
  readonly gate: RunningGate;
  /** What `skopeo login` comes to, which does what `docker login` does and says the same. */
  login(username: string, password: string, url?: string): Promise<CommandResult>;
  /** The first step of the guide; waits until the request is in the log. */
  curl(username: string, password: string, more?: readonly string[]): Promise<CurlResult>;
  /** The second step: `registry-gate why` over the log so far. */
  why(parameters: readonly string[]): Promise<string>;
  /** The third: a command with `--config`; all that it prints. */
  command(name: string, parameters: readonly string[], input?: string): Promise<string>;
  close(): Promise<void>;
}

export interface CurlResult {
  readonly status: number;
  readonly id: string;
  readonly body: string;
}

export interface PlaceSettings {
  readonly auth: object;
  readonly access?: readonly object[];
  readonly files?: Readonly<Record<string, string>>;
}

const configurationFile = "registry-gate.yaml";

export async function startPlace({ auth, access, files = {} }: PlaceSettings): Promise<Place> {
  const { keep, close } = closingStack();
  try {
    const home = await mkdtemp(join(tmpdir(), "registry-gate-login-"));
    await keep(Promise.resolve({ close: () => rm(home, { recursive: true, force: true }) }));
    const registry = await keep(startDockerRegistry());
    const configuration = {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth,
      ...(access && { access }),
    };
    const gate = await keep(startGate({ configuration, files }));
    return {
      gate,
      login(username, password, url = gate.url) {
        const parameters = [
          "login",
          "--tls-verify=false",
          "--username",
          username,
          "--password-stdin",
          new URL(url).host,
        ];
        const environment = { REGISTRY_AUTH_FILE: join(home, "auth.json") };
        return runCommand("skopeo", parameters, { input: password, environment });
      },
      async curl(username, password, more = [`${gate.url}/v2/`]) {
        const { stdout } = await runCommand("curl", ["-sS", "--include", "--user", `${username}:${password}`, ...more]);
        const [head = "", body = ""] = stdout.split("\r\n\r\n");
        const status = Number(/^HTTP\S+ (\d+)/.exec(head)?.[1]);
        const id = /^x-request-id: (\S+)/im.exec(head)?.[1] ?? "";
        await gate.logged(({ event, requestId }) => event === "request" && requestId === id);
        return { status, id, body };
      },
      async why(parameters) {
        const { code, stdout, stderr } = await runGate(["why", ...parameters, "-"], { input: gate.output() });
        if (code !== 0) throw new Error(stderr);
        return stdout;
      },
      async command(name, parameters, input = "") {
        const options = { directory: gate.directory, input };
        const { stdout, stderr } = await runGate([name, "--config", configurationFile, ...parameters], options);
        return `${stdout}${stderr}`;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
