import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Fault, InvalidOptionsError, parseDuration } from "@registry-gate/auth";

/** The options, read and found good. */
export interface Options {
  readonly url: URL;
  readonly key: string;
  readonly groups: ReadonlyMap<string, string>;
  readonly timeout: number;
}

const known = ["url", "keyFile", "groups", "timeout"];

/** The same for editors, and for what may have been meant by a key that is not known. */
export const optionsSchema = {
  type: "object",
  properties: {
    url: { type: "string", format: "uri" },
    keyFile: { type: "string" },
    groups: { type: "object", additionalProperties: { type: "string" } },
    timeout: { type: "string" },
  },
  required: ["url", "keyFile"],
  additionalProperties: false,
};

/** @throws {InvalidOptionsError} with every fault. */
export async function readOptions(options: unknown, baseDirectory: string): Promise<Options> {
  if (!isObject(options)) throw new InvalidOptionsError([{ path: [], message: "must be a set of options" }]);
  const faults: Fault[] = [];
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) faults.push({ path: [name], message: "is not an option of this backend" });
  }
  const url = readUrl(options.url, faults);
  const key = await readKey(options.keyFile, baseDirectory, faults);
  const groups = readGroups(options.groups ?? {}, faults);
  const { timeout: written = "5s" } = options;
  const timeout = typeof written === "string" || typeof written === "number" ? parseDuration(written) : undefined;
  if (timeout === undefined || timeout === 0) faults.push({ path: ["timeout"], message: "must be a time such as 5s" });
  if (faults.length > 0 || url === undefined || key === undefined || timeout === undefined) {
    throw new InvalidOptionsError(faults);
  }
  return { url, key, groups, timeout };
}

function readUrl(value: unknown, faults: Fault[]): URL | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  faults.push({
    path: ["url"],
    message: value === undefined ? "is required" : "must be a URL with https:// or http://",
  });
  return undefined;
}

async function readKey(value: unknown, baseDirectory: string, faults: Fault[]): Promise<string | undefined> {
  if (typeof value !== "string") {
    faults.push({ path: ["keyFile"], message: value === undefined ? "is required" : "must be the path of a file" });
    return undefined;
  }
  try {
    return (await readFile(resolve(baseDirectory, value), "utf8")).trim();
  } catch {
    faults.push({ path: ["keyFile"], message: `cannot be read: ${value}` });
    return undefined;
  }
}

function readGroups(value: unknown, faults: Fault[]): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  if (!isObject(value)) {
    faults.push({ path: ["groups"], message: "must map groups of the service to groups of the rules" });
    return groups;
  }
  for (const [group, name] of Object.entries(value)) {
    if (typeof name === "string" && name !== "") groups.set(group, name);
    else faults.push({ path: ["groups", group], message: "must be the name of a group" });
  }
  return groups;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
