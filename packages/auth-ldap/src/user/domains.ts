import { canonicalDN, foldValue } from "@registry-gate/auth-kit";
import { DirectoryError } from "../directory-error.ts";
import { anything, both, equal, type Filter } from "../filter/filter.ts";
import { allEntries } from "../outcomes.ts";
import type { Session } from "../protocol/session.ts";

/** The domains of an Active Directory forest by the short names that stand before `\`. */
export interface Domains {
  /**
   * @returns the canonical DN of the domain; `undefined` where there is none of this name.
   * @throws {DirectoryError}
   */
  find(name: string, session: Session, signal: AbortSignal): Promise<string | undefined>;
}

/** Domains hardly ever change. Names that do not exist are not remembered, so that nobody can fill the memory. */
const LIFETIME = 600_000;

export function createDomains(): Domains {
  let known: ReadonlyMap<string, string> = new Map();
  let until = 0;
  return {
    async find(name, session, signal) {
      if (performance.now() >= until) {
        known = await readDomains(session, signal);
        until = performance.now() + LIFETIME;
      }
      return known.get(foldValue(name));
    },
  };
}

const NAMED_DOMAIN: Filter = both(equal("objectClass", "crossRef"), { kind: "present", attribute: "nETBIOSName" });

async function readDomains(session: Session, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const what = "the domains of the forest";
  const attributes = ["configurationNamingContext"];
  const root = await session.search({ base: "", scope: "base", filter: anything, attributes }, signal);
  const configuration = allEntries(root, what)[0]?.text("configurationNamingContext")[0];
  if (configuration === undefined) throw new DirectoryError("result", "the directory names no configuration context");
  const result = await session.search(
    {
      base: `CN=Partitions,${configuration}`,
      scope: "one",
      filter: NAMED_DOMAIN,
      attributes: ["nETBIOSName", "nCName"],
    },
    signal,
  );
  return new Map(
    allEntries(result, what).flatMap((entry): [string, string][] => {
      const name = entry.text("nETBIOSName")[0];
      const dn = canonicalDN(entry.text("nCName")[0] ?? "");
      return name === undefined || dn === undefined ? [] : [[foldValue(name), dn]];
    }),
  );
}
