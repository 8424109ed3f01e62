import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const directory = resolve(import.meta.dirname, "../../.github/ISSUE_TEMPLATE");
const forms = globSync("*.yml", { cwd: directory }).filter((name) => name !== "config.yml");

async function read(name: string): Promise<unknown> {
  return parse(await readFile(join(directory, name), "utf8"), { strict: true, uniqueKeys: true });
}

const field = {
  type: expect.stringMatching(/^(?:input|textarea)$/),
  id: expect.stringMatching(/^[\w-]+$/),
  attributes: expect.objectContaining({ label: expect.any(String) }),
};
const text = { type: "markdown", attributes: { value: expect.any(String) } };

describe("an issue form", () => {
  it("is there for faults and for wishes", () => {
    expect(forms).toEqual(expect.arrayContaining(["bug.yml", "feature.yml"]));
  });

  // GitHub shows no form at all where one of these is missing.
  it.each(forms)("has what GitHub asks for: %s", async (name) => {
    const form = await read(name);
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String), body: expect.any(Array) });
    const { body }: { body?: unknown } = Object(form);
    const parts: readonly unknown[] = Array.isArray(body) ? body : [];
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect(part).toMatchObject(Object(part).type === "markdown" ? text : field);
    const ids = parts.map((part) => Object(part).id).filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("leads to the private way for vulnerabilities", async () => {
    expect(await read("config.yml")).toMatchObject({
      contact_links: expect.arrayContaining([
        expect.objectContaining({
          url: expect.stringMatching(/\/security\/advisories\/new$/),
          about: expect.any(String),
        }),
      ]),
    });
  });
});
