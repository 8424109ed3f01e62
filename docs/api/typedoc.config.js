import { globSync, readFileSync } from "node:fs";

const packages = globSync(["../../packages/*/package.json", "../../apps/gateway/package.json"], {
  cwd: import.meta.dirname,
})
  .map((path) => ({ path, manifest: JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) }))
  .filter(({ manifest }) => manifest.private !== true);

// TypeDoc needs the compiler's API, which TypeScript 7.0 does not have: this package has a TypeScript 6 of its own.
/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "registry-gate",
  readme: "README.md",
  tsconfig: "tsconfig.json",
  plugin: ["./package-names.ts"],
  entryPoints: packages.map(({ path }) => path.replace(/package\.json$/, "src/index.ts")),
  out: "html",
  // Of a checkout's own remote and commit the reference says nothing: a clone of a clone has none that others could open.
  disableGit: true,
  basePath: "../..",
  gitRevision: "main",
  sourceLinkTemplate: "https://github.com/registry-gate/registry-gate/blob/{gitRevision}/{path}#L{line}",
  logLevel: "Warn",
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // Of an option or a field the name often says it all.
  requiredToBeDocumented: ["Variable", "Function", "Class", "Method", "Interface", "TypeAlias", "Accessor"],
  packagesRequiringDocumentation: packages.map(({ manifest }) => manifest.name),
  treatWarningsAsErrors: true,
};
