import { z } from "@registry-gate/auth-kit";
import { nextTarget, type Reader, RegistryFaultError } from "./reader.ts";

/** Names, and whether there are more than were read. */
export interface Names {
  readonly names: readonly string[];
  readonly cut: boolean;
}

/** Names that a page asks for at once: registries list as many, or say how many they list. */
const pageSize = 1000;
const mostPages = 200;

/**
 * Every repository that the reader may pull, sorted.
 *
 * @param most How many names to read at most.
 */
export function listRepositories(reader: Reader, most: number): Promise<Names> {
  const page = z.object({ repositories: z.array(z.string()).nullable() });
  return list(reader, `_catalog?n=${pageSize}`, most, (body) => page.parse(body).repositories ?? []);
}

/**
 * Every tag of a repository, sorted; none where the registry does not know the repository.
 *
 * @throws {NotAllowedError} where the reader may not pull from it.
 */
export function listTags(reader: Reader, repository: string, most: number): Promise<Names> {
  const page = z.object({ tags: z.array(z.string()).nullable() });
  return list(reader, `${repository}/tags/list`, most, (body) => page.parse(body).tags ?? []);
}

async function list(
  reader: Reader,
  first: string,
  most: number,
  namesIn: (body: unknown) => readonly string[],
): Promise<Names> {
  const found = new Set<string>();
  let target: string | undefined = first;
  for (let pages = 0; target !== undefined && found.size < most && pages < mostPages; pages++) {
    const page = await reader.get(target, "application/json");
    if (page === undefined) break;
    for (const name of parsed(page.body, namesIn)) found.add(name);
    target = nextTarget(page);
  }
  const names = [...found].sort(byName).slice(0, most);
  return { names, cut: target !== undefined || found.size > most };
}

function parsed(body: string, namesIn: (body: unknown) => readonly string[]): readonly string[] {
  try {
    return namesIn(JSON.parse(body));
  } catch (error) {
    throw new RegistryFaultError("the registry's list is malformed", { cause: error });
  }
}

const collator = new Intl.Collator("en", { numeric: true });

/** As people count: `1.9` before `1.10`. */
export const byName: (a: string, b: string) => number = collator.compare;
