import type { Docker, Dockerd } from "../support/dockerd.ts";
import type { CommandResult } from "../support/run.ts";

/** `docker login` with the password on its standard input, as whoever a docker is for. */
export function logIn(docker: Docker, host: string, username: string, password: string): Promise<CommandResult> {
  return docker(["login", "--username", username, "--password-stdin", host], password);
}

/** A further user of a daemon, logged in. */
export async function loggedIn(daemon: Dockerd, host: string, username: string, password: string): Promise<Docker> {
  const docker = await daemon.newUser();
  const { code, stderr } = await logIn(docker, host, username, password);
  if (code !== 0) throw new Error(`docker login: ${stderr}`);
  return docker;
}

/** The digest of an image's configuration, which names each of its layers by the digest of its content. */
export async function imageId(docker: Docker, reference: string): Promise<string> {
  const { code, stdout, stderr } = await docker(["image", "inspect", "--format", "{{.Id}}", reference]);
  if (code !== 0) throw new Error(`docker image inspect: ${stderr}`);
  return stdout.trim();
}
