import { isBuiltin } from "node:module";
import type { Plugin } from "rolldown";
import manifest from "../package.json" with { type: "json" };

/** What becomes of the packages that are not of this workspace. */
export type Dependencies =
  /** They are imported where npm has installed them, save for those whose many modules every start would read. */
  | "installed"
  /** All are part of the bundle, which then runs wherever it lies. */
  | "bundled";

/**
 * Part of the bundle always: hundreds of modules, of which a gate uses a part, and all read the operator's own files or write
 * its log. What talks to clients, registries, directories and issuers is not among them: an update of it must reach whoever
 * installs it, without a release of the gate.
 */
const bundled: ReadonlySet<string> = new Set(["pino", "yaml", "zod"]);

/** Finds files beside itself, and so stays where it is. */
const assets = { file: /\/asset-files\.ts$/, name: "@registry-gate/portal/asset-files" };

/** Decides of each import whether it leads out of the bundle. */
export function dependencies(choice: Dependencies): Plugin {
  return {
    name: "dependencies",
    async resolveId(specifier, importer) {
      if (importer === undefined || isBuiltin(specifier)) return null;
      if (assets.file.test(specifier)) {
        if (choice === "installed") return { id: assets.name, external: true };
        return outside(await this.resolve(specifier, importer, { skipSelf: true }));
      }
      const name = packageOf(specifier);
      // Of a package that is part of the bundle, so is all that it imports itself.
      if (name === undefined || name.startsWith("@registry-gate/")) return null;
      if (name.startsWith("@node-rs/") && choice === "bundled") {
        return outside(await this.resolve(specifier, importer, { skipSelf: true }));
      }
      if (choice === "bundled" || bundled.has(name) || importer.includes("/node_modules/")) return null;
      if (!Object.hasOwn(manifest.dependencies, name)) {
        throw new Error(`${importer} imports ${specifier}, which registry-gate does not depend on itself`);
      }
      return { id: specifier, external: true };
    },
  };
}

const outside = (found: { readonly id: string } | null): { id: string; external: "absolute" } | null =>
  found === null ? null : { id: found.id, external: "absolute" };

function packageOf(specifier: string): string | undefined {
  return /^(?:@[a-z\d][^/]*\/)?[a-z\d][^/]*/i.exec(specifier)?.[0];
}
