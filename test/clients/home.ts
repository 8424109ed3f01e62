import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The home directory of one person, empty at first. */
export interface Home {
  readonly directory: string;
  /** Leads a client to this directory for everything that it remembers. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** @param environment Added to that of the home. */
export async function newHome(environment: Readonly<Record<string, string>>): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), "rg-home-"));
  const logins = join(directory, "auth.json");
  // Podman 4.3 fails where the file that it is led to is not there.
  await writeFile(logins, "{}", { mode: 0o600 });
  return {
    directory,
    environment: {
      ...environment,
      HOME: directory,
      XDG_CACHE_HOME: join(directory, ".cache"),
      XDG_CONFIG_HOME: join(directory, ".config"),
      XDG_DATA_HOME: join(directory, ".local/share"),
      // Two names for one matter: docker's, which most others read too, and that of skopeo and podman.
      DOCKER_CONFIG: join(directory, ".docker"),
      REGISTRY_AUTH_FILE: logins,
      // For root, skopeo and podman keep for the whole machine which repository has which blob, and mount blobs by it. For
      // another user than root they keep that below XDG_DATA_HOME.
      _CONTAINERS_ROOTLESS_UID: "1",
    },
    close: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }),
  };
}
