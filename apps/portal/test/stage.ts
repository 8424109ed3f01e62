import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import type { AccessRule, RequestRecord } from "@registry-gate/core";
import { type DockerRegistry, startDockerRegistry } from "../../../test/support/docker-registry.ts";
import { passwordFile } from "../../../test/support/password-file.ts";
import { pushImage } from "../../../test/support/registry-content.ts";
import { type Portal, type PortalOptions, startPortal } from "../src/portal.ts";

export const passwords = { alice: "alice's canary", bob: "bob's canary" };

const access: readonly AccessRule[] = [
  { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/app"], actions: ["push", "delete"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["*"] },
];

/** The portal before a real registry that holds `team/app`, `team/lib`, `bob/tool` and `secret/app`. */
export interface Stage extends Portal {
  readonly registry: DockerRegistry;
  /** What became of the requests under `/v2/`. */
  readonly records: readonly RequestRecord[];
  /** Puts another password file in place, with these users alone, and waits until it is in force. */
  setUsers(users: Readonly<Record<string, string>>): Promise<void>;
}

export async function setStage(more: Pick<PortalOptions, "tls"> = {}): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-portal-"));
  await writeFile(join(directory, "htpasswd"), await passwordFile(passwords));
  await writeFile(join(directory, "groups"), "pushers: alice\n");
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const users = await htpasswdBackend(
    { file: "htpasswd", groupFile: "groups" },
    { id: "users", baseDirectory: directory, log: quiet },
  );
  const registry = await startDockerRegistry();
  const caller = { url: registry.url, headers: {} };
  for (const repository of ["team/app", "team/lib", "bob/tool", "secret/app"]) {
    await pushImage(caller, repository, "latest", `content of ${repository}`);
  }
  const records: RequestRecord[] = [];
  const onRequest = (record: RequestRecord): void => void records.push(record);
  const portal = await startPortal({ upstream: registry.url, users, access, onRequest, ...more });
  return {
    ...portal,
    registry,
    records,
    async setUsers(passwordsNow) {
      await writeFile(join(directory, "new"), await passwordFile(passwordsNow));
      const noticed = Promise.withResolvers<void>();
      const unsubscribe = users.onChange?.(() => noticed.resolve());
      await rename(join(directory, "new"), join(directory, "htpasswd"));
      await noticed.promise;
      unsubscribe?.();
    },
    async close() {
      await portal.close();
      await users.close?.();
      await registry.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
