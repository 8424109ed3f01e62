import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { findCycle, importsOf, packageOf } from "./imports.ts";

const workspace = resolve(import.meta.dirname, "../..");

const foundations = ["auth", "watched-file"];
const backendParts = [...foundations, "auth-kit"];
/** What each package may import of the others. docs/architecture.md says why. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "access-tokens": backendParts,
  auth: [],
  "watched-file": [],
  "embedded-registry": [],
  "auth-kit": foundations,
  "auth-htpasswd": backendParts,
  "auth-ldap": backendParts,
  "auth-sso": backendParts,
  "auth-testkit": backendParts,
  core: backendParts,
  state: backendParts,
  passport: [...backendParts, "core"],
  token: [...backendParts, "core"],
};
/** The rooms of the gateway. Each may import the rooms before it. */
const gatewayRooms = [
  "config",
  "state",
  "log",
  "observe",
  "tracing",
  "audit",
  "events",
  "tls",
  "maintenance",
  "listener",
  "gate",
  "warnings",
  "diagnosis",
  "portal",
  "admin",
  "reload",
  "process",
  "workers",
  "service-manager",
  "why",
  "doctor",
  "import",
  "commands",
];
/** Libraries that one file alone imports, so that another can take their place. */
const wrapped: readonly string[] = ["http-proxy-middleware", "ldapts", "@redis/client"];

interface SourceFile {
  /** From the root of the workspace. */
  readonly path: string;
  /** Such as `packages/core`. */
  readonly directory: string;
  readonly imports: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const packages = globSync("{packages,apps}/*/package.json", { cwd: workspace }).map(dirname).sort();
const manifests = new Map<string, Manifest>(
  packages.map((directory) => [
    directory,
    JSON.parse(readFileSync(join(workspace, directory, "package.json"), "utf8")),
  ]),
);
const directories = new Map([...manifests].map(([directory, { name }]) => [name, directory]));
const libraries = packages.filter((directory) => directory.startsWith("packages/"));
const sources: readonly SourceFile[] = packages.flatMap((directory) =>
  globSync("src/**/*.ts", { cwd: join(workspace, directory) }).map((file) => {
    const path = join(directory, file);
    return { path, directory, imports: importsOf(path, readFileSync(join(workspace, path), "utf8")) };
  }),
);

/** Where an import of a file of the same kind leads, from the root of the workspace. */
function target({ path }: SourceFile, specifier: string): string {
  return relative(workspace, resolve(workspace, dirname(path), specifier));
}

/** The packages of the workspace, by their directory, that names of packages stand for. */
function own(names: readonly (string | undefined)[]): readonly string[] {
  return names.flatMap((name) => directories.get(name ?? "") ?? []);
}

describe("a package", () => {
  it("has a place in the order of imports", () => {
    expect(libraries.map((directory) => directory.replace("packages/", ""))).toEqual(Object.keys(allowed).sort());
  });

  it.each(libraries)("imports below it alone: %s", (directory) => {
    const below = (allowed[directory.replace("packages/", "")] ?? []).map((name) => `packages/${name}`);
    const mine = sources.filter((source) => source.directory === directory);
    expect(mine).not.toHaveLength(0);
    for (const { path, imports } of mine) {
      const above = own(imports.map(packageOf)).filter((other) => !below.includes(other));
      expect(above, path).toEqual([]);
    }
  });

  it.each(libraries)("depends on what is below it alone: %s", (directory) => {
    const below = (allowed[directory.replace("packages/", "")] ?? []).map((name) => `packages/${name}`);
    const { dependencies, peerDependencies } = manifests.get(directory) ?? {};
    const needed = own(Object.keys({ ...dependencies, ...peerDependencies }));
    expect(needed.filter((other) => !below.includes(other))).toEqual([]);
  });

  it.each(packages)("reaches the files of another by its name alone: %s", (directory) => {
    const outside = sources
      .filter((source) => source.directory === directory)
      .flatMap((source) =>
        source.imports
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => target(source, specifier))
          .filter((file) => !file.startsWith(`${directory}/src/`))
          .map((file) => `${source.path} imports ${file}`),
      );
    expect(outside).toEqual([]);
  });

  it.each(packages)("has no files that import each other in a circle: %s", (directory) => {
    const graph = new Map(
      sources
        .filter((source) => source.directory === directory)
        .map((source) => [
          source.path,
          source.imports.filter((specifier) => specifier.startsWith(".")).map((specifier) => target(source, specifier)),
        ]),
    );
    expect(findCycle(graph)).toBeUndefined();
  });
});

describe("a room of the gateway", () => {
  const root = "apps/gateway/src";
  const roomOf = (path: string): string | undefined => /^([^/]+)\//.exec(relative(root, path))?.[1];

  it("has a place in the order of imports", () => {
    const rooms = sources.flatMap(({ path, directory }) => (directory === "apps/gateway" ? (roomOf(path) ?? []) : []));
    expect([...new Set(rooms)].sort()).toEqual([...gatewayRooms].sort());
  });

  it.each(gatewayRooms)("imports only the rooms before it: %s", (room) => {
    const later = gatewayRooms.slice(gatewayRooms.indexOf(room) + 1);
    const wrong = sources
      .filter(({ path, directory }) => directory === "apps/gateway" && roomOf(path) === room)
      .flatMap((source) =>
        source.imports
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => target(source, specifier))
          .filter((file) => later.includes(roomOf(file) ?? ""))
          .map((file) => `${source.path} imports ${file}`),
      );
    expect(wrong).toEqual([]);
  });
});

it.each(wrapped)("one file alone imports %s", (library) => {
  const importers = sources.filter(({ imports }) => imports.some((specifier) => packageOf(specifier) === library));
  expect(importers.map(({ path }) => path)).toHaveLength(1);
});
