import { writeFile } from "node:fs/promises";
import { parse } from "yaml";
import { runGate } from "../gateway/run-gate.ts";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** One request as one person. */
export interface Probe {
  readonly username: string | undefined;
  readonly password: string;
  readonly method: string;
  readonly target: string;
}

/** A registry that lets everybody do everything: what is refused, the front has refused. */
export function startOpenRegistry(): Promise<ScriptedUpstream> {
  return startUpstream((request, response) => {
    request.resume();
    request.once("end", () => {
      response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
      response.setHeader("Content-Type", "application/json");
      if (request.method === "POST") response.setHeader("Location", "/v2/team/app/blobs/uploads/1");
      response.statusCode = request.method === "POST" ? 202 : 200;
      response.end(request.method === "HEAD" ? undefined : "{}");
    });
  });
}

const digest = `sha256:${"0".repeat(64)}`;
const people: readonly (readonly [string | undefined, string])[] = [
  [undefined, ""],
  ["alice", "alicepw"],
  ["bob", "bobpw"],
  ["alice", "wrong"],
];

/** Every person does everything with each repository. */
export function probesFor(repositories: readonly string[]): readonly Probe[] {
  return people.flatMap(([username, password]) =>
    repositories.flatMap((repository) =>
      [
        ["GET", `/v2/${repository}/manifests/v1`],
        ["HEAD", `/v2/${repository}/blobs/${digest}`],
        ["POST", `/v2/${repository}/blobs/uploads/`],
        ["PUT", `/v2/${repository}/manifests/v1`],
        ["DELETE", `/v2/${repository}/manifests/${digest}`],
      ].map(([method = "", target = ""]) => ({ username, password, method, target })),
    ),
  );
}

/** Whether a front lets a request through. */
async function isAllowed(url: string, { username, password, method, target }: Probe): Promise<boolean> {
  const headers: Record<string, string> = username === undefined ? {} : { ...basic(username, password) };
  if (method === "PUT") headers["Content-Type"] = "application/vnd.oci.image.manifest.v1+json";
  const body = method === "PUT" ? "{}" : undefined;
  const response = await fetch(`${url}${target}`, { method, headers, ...(body !== undefined && { body }) });
  await response.arrayBuffer();
  if (response.status >= 500) throw new Error(`${method} ${target}: ${response.status}`);
  return response.ok;
}

export interface ImportedGate {
  readonly gate: RunningGate;
  readonly yaml: string;
  /** The lines about what could not be carried over. */
  readonly notes: string;
  /** What `check` says of it, with its exit code. */
  readonly check: { readonly code: number | null; readonly said: string };
}

/** Imports a file and starts a gate with what came of it, on another address. */
export async function startImported(file: string, parameters: readonly string[] = []): Promise<ImportedGate> {
  const { code, stdout, stderr } = await runGate(["import", file, ...parameters]);
  if (code !== 0) throw new Error(stderr);
  const checkedFile = `${file}.yaml`;
  await writeFile(checkedFile, stdout);
  const checked = await runGate(["check", "--config", checkedFile]);
  const configuration: object = parse(stdout.replaceAll("$${", "$" + "{"));
  const gate = await startGate({
    configuration: {
      ...configuration,
      listen: { address: "127.0.0.1:0" },
      limits: { inFlightPerClient: 1000 },
    },
  });
  return { gate, yaml: stdout, notes: stderr, check: { code: checked.code, said: checked.stderr } };
}

/**
 * Where a front and the gate decide otherwise: `METHOD target as user`, by who allows it. Wrong credentials are refused by
 * the gate even where none are needed, as they never turn into anonymous: that is not counted.
 */
export async function differences(
  front: string,
  gate: string,
  probes: readonly Probe[],
): Promise<{ readonly wider: readonly string[]; readonly narrower: readonly string[]; readonly allowed: number }> {
  const wider: string[] = [];
  const narrower: string[] = [];
  let allowed = 0;
  for (const probe of probes) {
    const there = await isAllowed(front, probe);
    const here = await isAllowed(gate, probe);
    if (there) allowed++;
    const { method, target, username = "nobody", password } = probe;
    const what = `${method} ${target} as ${username}${password === "wrong" ? " with a wrong password" : ""}`;
    if (here && !there) wider.push(what);
    if (there && !here && password !== "wrong") narrower.push(what);
  }
  return { wider, narrower, allowed };
}
