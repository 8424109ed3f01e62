import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gateCommand } from "../support/gate.ts";
import { run } from "../support/run.ts";
import { listAt, type Manifest, named, textsOf, valueAt } from "./manifest.ts";

/** Objects with data by kind and name. */
export type ExistingObjects = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What the combinations name and the cluster has already. */
export async function makeExistingObjects(): Promise<ExistingObjects> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-existing-"));
  try {
    const content = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
    const certificate = ["-subj", "/CN=gate", "-days", "30", "-keyout", "tls.key", "-out", "tls.crt"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...certificate], { cwd: directory });
    const [program, ...parameters] = gateCommand;
    await run(program, [...parameters, "keys", join(directory, "keys.json")]);
    const users = await run("htpasswd", ["-nbB", "alice", "correct horse"]);
    return {
      "Secret existing-certificate": { "tls.crt": await content("tls.crt"), "tls.key": await content("tls.key") },
      "Secret existing-keys": { "keys.json": await content("keys.json") },
      "Secret existing-ldap": { password: "correct horse\n" },
      "Secret existing-redis": { url: "redis://redis.example.com:6379" },
      "Secret existing-registry-login": { password: "battery staple\n" },
      "Secret existing-registry-secret": { secret: "0123456789abcdef" },
      "Secret existing-users": { htpasswd: users, groups: "pushers: alice\n" },
      "Secret existing-users-alone": { htpasswd: users },
      "Secret environment": { LEVEL: "info" },
      "Secret hook": { secret: "0123456789abcdef0123456789abcdef" },
      "ConfigMap ldap-ca": { "ca.crt": await content("tls.crt") },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a Secret or a config map holds, be it of the chart or of the cluster. @throws {Error} where it is missing. */
function dataOf(
  kind: "Secret" | "ConfigMap",
  name: string,
  { manifests, existing }: { readonly manifests: readonly Manifest[]; readonly existing: ExistingObjects },
): Readonly<Record<string, string>> {
  const there = existing[`${kind} ${name}`];
  if (there !== undefined) return there;
  const made = named(manifests, kind, name);
  if (kind === "ConfigMap") return made.texts("data");
  const encoded = Object.entries(made.texts("data")).map(([key, value]) => [key, atob(value)]);
  return { ...made.texts("stringData"), ...Object.fromEntries(encoded) };
}

/**
 * Writes the files that a projected volume has in a container. What the configuration has in `/var/lib/registry-gate`, another
 * volume, comes to be in the same directory.
 *
 * @returns the environment of the container, as far as it comes from Secrets and plain values.
 * @throws {Error} where an object or a key is missing that is not optional.
 */
export async function writePodFiles(
  pod: unknown,
  directory: string,
  objects: { readonly manifests: readonly Manifest[]; readonly existing: ExistingObjects },
): Promise<Readonly<Record<string, string>>> {
  for (const source of listAt(pod, "volumes", 0, "projected", "sources")) {
    for (const [key, kind] of [["secret", "Secret"] as const, ["configMap", "ConfigMap"] as const]) {
      const part = valueAt(source, [key]);
      if (part === undefined) continue;
      const name = String(valueAt(part, ["name"]));
      const data = dataOf(kind, name, objects);
      for (const item of listAt(part, "items")) {
        const { key: from = "", path = "" } = textsOf(item);
        const content = data[from];
        if (content === undefined && valueAt(part, ["optional"]) === true) continue;
        if (content === undefined) throw new Error(`${kind} ${name} has no ${from}`);
        await mkdir(dirname(join(directory, path)), { recursive: true });
        await writeFile(join(directory, path), content.replaceAll("/var/lib/registry-gate", directory), {
          mode: 0o400,
        });
      }
    }
  }
  return Object.fromEntries(
    listAt(pod, "containers", 0, "env").map((variable) => {
      const secret = valueAt(variable, ["valueFrom", "secretKeyRef"]);
      const name = String(valueAt(variable, ["name"]));
      if (secret === undefined) return [name, String(valueAt(variable, ["value"]))];
      const { name: from = "", key = "" } = textsOf(secret);
      const value = dataOf("Secret", from, objects)[key];
      if (value === undefined) throw new Error(`Secret ${from} has no ${key}`);
      return [name, value];
    }),
  );
}
