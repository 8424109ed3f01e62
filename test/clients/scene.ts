import { type Stage, type StageSettings, setStage } from "../docker/stage.ts";
import { closingStack } from "../support/closing-stack.ts";
import { startContainerd } from "../support/containerd.ts";
import { passwordFile } from "../support/password-file.ts";
import type { Client } from "./client.ts";
import { type Commands, commandClient } from "./command-client.ts";
import { crane, helm, oras, podman, regctl, skopeo } from "./commands.ts";
import { ctr } from "./containerd.ts";
import { curl } from "./curl.ts";
import { docker } from "./docker.ts";
import { makeMaterials } from "./materials.ts";
import { seed } from "./seed.ts";

/** One host with rules for everybody, for readers and for writers, and every client that leads there. */
export interface Scene {
  readonly stage: Stage;
  client(name: ClientName): Client;
  /** Lets the gate ask for logins in this way from now on. */
  challengeBy(challenge: Challenge): Promise<void>;
  close(): Promise<void>;
}

export const clientNames = ["docker", "skopeo", "podman", "ctr", "crane", "regctl", "oras", "helm", "curl"] as const;

export type ClientName = (typeof clientNames)[number];

/** How a gate asks for a login. */
export type Challenge = "basic" | "bearer";

/** alice writes, reader does not. */
export const passwords = { alice: "alicepassword", reader: "readerpassword" };

const access = [
  { subjects: ["anonymous", "authenticated"], repositories: ["public/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
  { subjects: ["group:writers"], repositories: ["team/**"], actions: ["pull", "push"] },
];
const backends = [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }];

function authBy(challenge: Challenge): object {
  return { challenge, backends };
}

/** @param startRegistry As of a stage. */
export async function setScene(startRegistry?: StageSettings["startRegistry"]): Promise<Scene> {
  const { keep, close } = closingStack();
  let challenge: Challenge = "basic";
  try {
    const stage = await keep(
      setStage({
        auth: authBy(challenge),
        access,
        ...(startRegistry && { startRegistry }),
        files: { htpasswd: await passwordFile(passwords), groups: "writers: alice\n" },
      }),
    );
    const { host, environment, authority, registry } = stage;
    const materials = await keep(makeMaterials());
    for (const prefix of ["public", "team"]) await seed(registry.url, prefix, materials);
    const dockerd = await stage.newDaemon();
    const loaded = await dockerd.docker(["load", "--input", materials.image]);
    if (loaded.code !== 0) throw new Error(`docker load: ${loaded.stderr}`);
    const containerd = await keep(startContainerd());
    const command = (commands: Commands): Client => commandClient(commands, environment, host);
    const clients: Readonly<Record<ClientName, Client>> = {
      docker: docker(dockerd, host, materials),
      skopeo: command(skopeo(materials)),
      podman: command(podman(materials)),
      ctr: ctr(containerd, environment, host, materials),
      crane: command(crane(materials)),
      regctl: command(regctl(materials)),
      oras: command(oras(materials)),
      helm: command(helm(materials)),
      curl: curl(environment, authority, host),
    };
    return {
      stage,
      client: (name) => clients[name],
      async challengeBy(next) {
        // A configuration that is the same is not loaded again.
        if (next !== challenge) await stage.reconfigure({ auth: authBy(next), access });
        challenge = next;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
