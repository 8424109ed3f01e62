import { dirname, join } from "node:path";
import { tag } from "./client.ts";
import type { Commands } from "./command-client.ts";
import type { Materials } from "./materials.ts";

const reference = (host: string, repository: string): string => `${host}/${repository}:${tag}`;

export const skopeo = ({ image }: Materials): Commands => ({
  command: "skopeo",
  content: "image",
  login: (username, host) => ["login", "--username", username, "--password-stdin", host],
  logout: (host) => ["logout", host],
  pull: (host, repository, target) => [["copy", `docker://${reference(host, repository)}`, `dir:${target}`]],
  push: (host, repository) => [["copy", `docker-archive:${image}`, `docker://${reference(host, repository)}`]],
});

/** Needs root: others need a user namespace. */
export const podman = ({ image, imageName }: Materials): Commands => ({
  command: "podman",
  content: "image",
  // Images of its own, without a daemon and without a file system of its own.
  common: (home) => [
    ...["--root", join(home, "root"), "--runroot", join(home, "run"), "--tmpdir", join(home, "tmp")],
    ...["--storage-driver", "vfs", "--events-backend", "none", "--cgroup-manager", "cgroupfs"],
  ],
  login: (username, host) => ["login", "--username", username, "--password-stdin", host],
  logout: (host) => ["logout", host],
  pull: (host, repository) => [
    ["rmi", "--force", reference(host, repository)],
    ["pull", reference(host, repository)],
  ],
  push: (host, repository) => [
    ["load", "--input", image],
    ["push", imageName, reference(host, repository)],
  ],
});

export const crane = ({ image }: Materials): Commands => ({
  command: "crane",
  content: "image",
  login: (username, host) => ["auth", "login", "--username", username, "--password-stdin", host],
  logout: (host) => ["auth", "logout", host],
  pull: (host, repository, target) => [["pull", reference(host, repository), target]],
  push: (host, repository) => [["push", image, reference(host, repository)]],
});

export const regctl = ({ image }: Materials): Commands => ({
  command: "regctl",
  content: "image",
  login: (username, host) => ["registry", "login", "--user", username, "--pass-stdin", host],
  logout: (host) => ["registry", "logout", host],
  pull: (host, repository, target) => [["image", "export", reference(host, repository), target]],
  push: (host, repository) => [["image", "import", reference(host, repository), image]],
});

export const oras = ({ file }: Materials): Commands => ({
  command: "oras",
  content: "file",
  login: (username, host) => ["login", "--username", username, "--password-stdin", host],
  logout: (host) => ["logout", host],
  pull: (host, repository, target) => [["pull", "--output", target, reference(host, repository)]],
  push: (host, repository) => [["push", "--disable-path-validation", reference(host, repository), file]],
});

export const helm = ({ chart }: Materials): Commands => ({
  command: "helm",
  content: "chart",
  login: (username, host) => ["registry", "login", "--username", username, "--password-stdin", host],
  logout: (host) => ["registry", "logout", host],
  // It takes the place of the folder's files by itself, and makes the folder.
  pull: (host, repository, target) => [
    ["pull", `oci://${host}/${repository}`, "--version", tag, "--untar", "--untardir", target],
  ],
  // Helm adds the chart's name by itself.
  push: async (host, repository) => [["push", await chart(repository), `oci://${host}/${dirname(repository)}`]],
});
