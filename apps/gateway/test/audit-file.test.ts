import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@registry-gate/auth-kit";
import { describe, expect, onTestFinished, test } from "vitest";
import type { AuditEvent } from "../src/audit/audit-event.ts";
import { auditFile } from "../src/audit/audit-file.ts";
import type { AuditLine } from "../src/audit/line-destination.ts";

const event: AuditEvent = { id: "1", time: "2026-11-28T04:00:00.000Z", event: "push", outcome: "completed" };

function lines(...texts: readonly string[]): AuditLine[] {
  return texts.map((text) => ({ event, text: `${text}\n` }));
}

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-audit-file-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const contentOf = (directory: string, name: string) => readFile(join(directory, name), "utf8");

describe("auditFile", () => {
  test("begins another file where a line does not fit, and keeps so many of them", async () => {
    const directory = await place();
    const file = auditFile({ path: join(directory, "a"), maxSize: 10, keep: 2 }, silentLog);
    await file.append(lines("1234", "5678", "next", "long line beyond the size", "x"));
    await file.close();
    expect((await readdir(directory)).sort()).toEqual(["a", "a.1", "a.2"]);
    expect(await contentOf(directory, "a")).toBe("x\n");
    expect(await contentOf(directory, "a.1")).toBe("long line beyond the size\n");
    expect(await contentOf(directory, "a.2")).toBe("next\n");
  });

  test("counts what is in the file already, and leaves its mode", async () => {
    const directory = await place();
    const path = join(directory, "a");
    await writeFile(path, "12345678\n");
    await chmod(path, 0o600);
    const file = auditFile({ path, maxSize: 10 }, silentLog);
    await file.append(lines("next"));
    await file.close();
    expect(await contentOf(directory, "a.1")).toBe("12345678\n");
    expect(await contentOf(directory, "a")).toBe("next\n");
    expect((await stat(join(directory, "a.1"))).mode & 0o777).toBe(0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test("ends a line that was torn", async () => {
    const directory = await place();
    const path = join(directory, "a");
    await writeFile(path, "whole\ntorn");
    const file = auditFile({ path }, silentLog);
    await file.append(lines("next"));
    await file.close();
    expect(await contentOf(directory, "a")).toBe("whole\ntorn\nnext\n");
  });

  test("goes on with a new file after it was deleted and reopened", async () => {
    const directory = await place();
    const path = join(directory, "a");
    const file = auditFile({ path }, silentLog);
    await file.append(lines("one"));
    await rm(path);
    file.reopen();
    await file.append(lines("two"));
    await file.close();
    expect(await contentOf(directory, "a")).toBe("two\n");
  });

  test("ends a line that another process has begun in the meantime", async () => {
    const directory = await place();
    const path = join(directory, "a");
    const file = auditFile({ path }, silentLog);
    await file.append(lines("one"));
    await appendFile(path, "whole\n");
    await file.append(lines("two"));
    await appendFile(path, "torn");
    await file.append(lines("three", "four"));
    await file.close();
    expect(await contentOf(directory, "a")).toBe("one\nwhole\ntwo\ntorn\nthree\nfour\n");
  });

  test("counts what another process has written, or taken away", async () => {
    const directory = await place();
    const path = join(directory, "a");
    const file = auditFile({ path, maxSize: 20 }, silentLog);
    await file.append(lines("12345678", "12345678"));
    await truncate(path);
    await file.append(lines("next"));
    expect(await readdir(directory)).toEqual(["a"]);
    await appendFile(path, "1234567890123\n");
    await file.append(lines("after"));
    await file.close();
    expect(await contentOf(directory, "a.1")).toBe("next\n1234567890123\n");
    expect(await contentOf(directory, "a")).toBe("after\n");
  });

  test("loses nothing to a file that was deleted a moment ago", async () => {
    const directory = await place();
    const path = join(directory, "a");
    const file = auditFile({ path }, silentLog);
    await file.append(lines("one"));
    await rm(path);
    await file.append(lines("two"));
    await file.close();
    expect(await contentOf(directory, "a")).toBe("two\n");
  });

  test("goes on where it cannot be rotated", async () => {
    const directory = await place();
    const path = join(directory, "a");
    const file = auditFile({ path, maxSize: 10, keep: 1 }, silentLog);
    // A directory that is not empty takes the place of the file that would be kept.
    await writeFile(path, "");
    await mkdir(join(directory, "a.1", "x"), { recursive: true });
    await file.append(lines("12345678", "next", "and next"));
    await file.close();
    expect(await contentOf(directory, "a")).toBe("12345678\nnext\nand next\n");
  });

  test("is no device", async () => {
    const file = auditFile({ path: "/dev/null" }, silentLog);
    await expect(file.open()).rejects.toThrow("is not a regular file");
  });
});
