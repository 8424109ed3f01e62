import { substitutes } from "./configuration.ts";
import type { Path } from "./path.ts";

/**
 * Removes invalid values from a configuration, so that the same run finds the faults of the rest.
 *
 * @returns the rest, and the paths that were changed: faults found there later say nothing about the original.
 */
export function pruneInvalid(
  value: unknown,
  faultAt: (value: unknown) => Path | undefined,
): { rest: unknown; touched: Path[] } {
  const rest = structuredClone(value);
  const touched: Path[] = [];
  // Each fault is met once at its own place, and perhaps once more where taking it out left a gap.
  for (let path = faultAt(rest); path !== undefined; path = faultAt(rest)) {
    const place = pruneAt(rest, path);
    if (place === undefined || touched.some((before) => isSame(before, place))) return { rest: undefined, touched };
    touched.push(place);
  }
  return { rest, touched };
}

/** Puts a substitute in the place of the fault, or takes the fault out; a gap left by that is filled one level up. */
function pruneAt(root: unknown, path: Path): Path | undefined {
  const substitute = substitutes.find(
    ({ path: pattern }) => pattern.length <= path.length && pattern.every((key, at) => key === "*" || key === path[at]),
  );
  for (let depth = path.length; depth > 0; depth--) {
    const place = path.slice(0, depth);
    if (substitute !== undefined && depth === substitute.path.length) {
      return put(root, place, structuredClone(substitute.value)) ? place : undefined;
    }
    if (remove(root, place)) return place;
  }
  return undefined;
}

function put(root: unknown, path: Path, value: unknown): boolean {
  const [parent, key] = parentOf(root, path);
  if (parent === undefined || key === undefined) return false;
  parent[key] = value;
  return true;
}

function remove(root: unknown, path: Path): boolean {
  const [parent, key] = parentOf(root, path);
  if (parent === undefined || key === undefined || Array.isArray(parent) || !Object.hasOwn(parent, key)) return false;
  delete parent[key];
  return true;
}

function parentOf(
  root: unknown,
  path: Path,
): [Record<string | number, unknown> | undefined, string | number | undefined] {
  let node: unknown = root;
  for (const key of path.slice(0, -1)) node = isContainer(node) ? node[key] : undefined;
  return [isContainer(node) ? node : undefined, path.at(-1)];
}

function isContainer(node: unknown): node is Record<string | number, unknown> {
  return typeof node === "object" && node !== null;
}

function isSame(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}
