import { imageId, logIn } from "../docker/docker-user.ts";
import type { Stage } from "../docker/stage.ts";
import { verdictOf } from "../docker/verdict.ts";
import type { Docker, Dockerd } from "../support/dockerd.ts";
import { runCommand } from "../support/run.ts";

/** What stands in the place of a password for each of the two people. */
export interface Passwords {
  readonly alice: string;
  readonly carol: string;
}

/** What clients want to do, and what becomes of it. */
export type Verdicts = Readonly<Record<string, string>>;

/** alice, a member of the group, carol, who is none, and who is nobody at all, do what they can with docker. */
export async function dockerVerdicts(stage: Stage, daemon: Dockerd, passwords: Passwords): Promise<Verdicts> {
  const { host, registry } = stage;
  const [alice, carol] = await Promise.all([daemon.newUser(), daemon.newUser()]);
  const image = (repository: string): string => `${host}/${repository}:1`;
  const push = async (docker: Docker, repository: string): Promise<string> => {
    await docker(["tag", "image:1", image(repository)]);
    const verdict = verdictOf(await docker(["push", image(repository)]));
    const arrived = (await idBehind(registry.url, repository)) === (await imageId(docker, "image:1"));
    return `${verdict}, ${arrived ? "arrived" : "did not arrive"}`;
  };
  const login = async (docker: Docker, username: string, password: string): Promise<string> =>
    verdictOf(await logIn(docker, host, username, password));
  return {
    "alice logs in": await login(alice, "alice", passwords.alice),
    "carol logs in": await login(carol, "carol", passwords.carol),
    "alice pushes to the team": await push(alice, "team/app"),
    "carol pushes to the team": await push(carol, "team/other"),
    "carol pulls from the team": verdictOf(await carol(["pull", image("team/app")])),
    "carol pushes to her own": await push(carol, "carol/app"),
    "alice pushes to carol's": await push(alice, "carol/other"),
    "alice pulls what is hidden": verdictOf(await alice(["pull", image("hidden/app")])),
    "alice logs in with another password": await login(alice, "alice", altered(passwords.alice)),
    "nobody logs in": await login(await daemon.newUser(), "nobody", passwords.alice),
  };
}

/** The same people with skopeo. */
export async function skopeoVerdicts(stage: Stage, archive: string, passwords: Passwords): Promise<Verdicts> {
  const { environment, host } = stage;
  const skopeo = async (...parameters: string[]): Promise<string> =>
    verdictOf(await runCommand("skopeo", parameters, { environment }));
  const copy = (credentials: string, repository: string): Promise<string> =>
    skopeo("copy", "--dest-creds", credentials, `docker-archive:${archive}`, `docker://${host}/${repository}:1`);
  const [alice, carol] = [`alice:${passwords.alice}`, `carol:${passwords.carol}`];
  return {
    "alice copies to the team": await copy(alice, "team/copied"),
    "carol copies to the team": await copy(carol, "team/copied"),
    "carol inspects what is the team's": await skopeo("inspect", "--creds", carol, `docker://${host}/team/copied:1`),
    "carol deletes what is the team's": await skopeo("delete", "--creds", carol, `docker://${host}/team/copied:1`),
    "alice copies with another password": await copy(`alice:${altered(passwords.alice)}`, "team/copied"),
  };
}

/** The same people with curl: the status, and where it is 200 what was said. */
export async function curlVerdicts(stage: Stage, passwords: Passwords): Promise<Verdicts> {
  const { environment, authority, host } = stage;
  const curl = async (user: string | undefined, target: string, ...more: string[]): Promise<string> => {
    const parameters = ["--silent", "--cacert", authority, "--write-out", "\n%{http_code}", ...more];
    if (user !== undefined) parameters.push("--user", user);
    const { stdout } = await runCommand("curl", [...parameters, `https://${host}${target}`], { environment });
    const [status = "", ...body] = stdout.split("\n").reverse();
    return status === "200" ? body.reverse().join("\n").trim() : status;
  };
  const [alice, carol] = [`alice:${passwords.alice}`, `carol:${passwords.carol}`];
  return {
    "nobody pings": await curl(undefined, "/v2/"),
    "alice pings": await curl(alice, "/v2/"),
    "alice pings with another password": await curl(`alice:${altered(passwords.alice)}`, "/v2/"),
    "carol lists what she may pull": await curl(carol, "/v2/_catalog"),
    "carol begins a push to the team": await curl(carol, "/v2/team/app/blobs/uploads/", "--request", "POST"),
    "alice begins a push to the team": await curl(alice, "/v2/team/app/blobs/uploads/", "--request", "POST"),
  };
}

/** Another one of the same kind. */
function altered(password: string): string {
  return `${password.slice(0, -4)}${password.endsWith("AAAA") ? "BBBB" : "AAAA"}`;
}

/** The digest of the configuration of what the registry itself has. */
async function idBehind(url: string, repository: string): Promise<string | undefined> {
  const accept = "application/vnd.docker.distribution.manifest.v2+json";
  const response = await fetch(`${url}/v2/${repository}/manifests/1`, { headers: { accept } });
  if (response.status !== 200) return undefined;
  return /"config":\s*\{[^}]*"digest":\s*"([^"]+)"/.exec(await response.text())?.[1];
}
