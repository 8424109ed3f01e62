import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
export interface DockerRegistry {
  readonly url: string;
  close(): Promise<void>;
}
export async function startDockerRegistry(): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "docker-registry-"));
  await writeFile(
    join(directory, "config.json"),
    JSON.stringify({
      version: "0.1",
      storage: { filesystem: { rootdirectory: directory } },
      http: { addr: "127.0.0.1:0" },
    }),
  );
  const child = spawn("docker-registry", ["serve", join(directory, "config.json")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: child.stderr })) {
    const m = /listening on (127[^",\s]+)/.exec(line);
    if (m) {
      child.stderr.resume();
      return {
        url: `http://${m[1]}`,
        close: async () => {
          child.kill();
          await once(child, "exit");
          await rm(directory, { recursive: true });
        },
      };
    }
  }
  throw new Error("registry did not start");
}
