import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { gateCommand } from "../support/gate.ts";
import { type CommandResult, runCommand } from "../support/run.ts";

/** As in a container: `inside/htpasswd` is a mount point, and what is mounted there is `outside/htpasswd`. */
let directory: string;

beforeEach(async () => {
  if (process.getuid?.() !== 0) throw new Error("mount needs root");
  directory = await mkdtemp(join(tmpdir(), "bind-mount-"));
  await mkdir(join(directory, "outside"));
  await mkdir(join(directory, "inside"));
  await writeFile(join(directory, "outside", "htpasswd"), `${before}\n`, { mode: 0o640 });
  await writeFile(join(directory, "inside", "htpasswd"), "");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const before = "# users\nbob:$2y$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234";

/** Runs a shell script in a mount namespace of its own, in which the file is mounted. `$@` is `registry-gate`. */
function inContainer(script: string): Promise<CommandResult> {
  const whole = `mount --bind outside/htpasswd inside/htpasswd && ${script}`;
  return runCommand("unshare", ["--mount", "sh", "-c", whole, "sh", ...gateCommand], { directory });
}

const outside = (): Promise<string> => readFile(join(directory, "outside", "htpasswd"), "utf8");

test("writes a password file in place that is a mount point, and leaves nothing beside it", async () => {
  const { ino, mode } = await stat(join(directory, "outside", "htpasswd"));
  const result = await inContainer('echo secret | "$@" passwd inside/htpasswd alice && ls inside');
  expect(result).toEqual({ code: 0, stdout: "inside/htpasswd: alice created\nhtpasswd\n", stderr: "" });
  expect(await outside()).toMatch(/^# users\nbob:\S+\nalice:\$2y\$10\$\S{53}\n$/);
  expect(await stat(join(directory, "outside", "htpasswd"))).toMatchObject({ ino, mode });
  expect(await readdir(join(directory, "inside"))).toEqual(["htpasswd"]);
});

test("loses no user of a mounted file where several are created at once", async () => {
  const users = ["u1", "u2", "u3", "u4"];
  const runs = users.map((user) => `(echo secret | "$@" passwd inside/htpasswd ${user}) & `).join("");
  expect(await inContainer(`${runs} wait`)).toMatchObject({ stderr: "" });
  const written = (await outside()).match(/^[^#:]+(?=:)/gm)?.sort();
  expect(written).toEqual(["bob", ...users]);
});

test("writes nothing over a backup that a run left behind", async () => {
  await writeFile(join(directory, "inside", "htpasswd.backup"), "precious\n");
  const { code, stderr } = await inContainer('echo secret | "$@" passwd inside/htpasswd alice');
  const backup = join(directory, "inside", "htpasswd.backup");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `inside/htpasswd: was partly written by an interrupted run; its previous content is in ${backup}\n`,
  });
  expect(await readFile(backup, "utf8")).toBe("precious\n");
  expect(await outside()).toBe(`${before}\n`);
});

test("puts the old content back where the new one does not fit on the disk", async () => {
  // All but the last bytes of a page of the file system, whose second and last page is taken.
  const full = `${before}\n#${"x".repeat(4000)}\n`;
  await writeFile(join(directory, "outside", "htpasswd"), full);
  const script = [
    "mkdir disk && mount -t tmpfs -o size=8k tmpfs disk && cp outside/htpasswd disk/htpasswd",
    "dd if=/dev/zero of=disk/rest bs=1k count=4 2>&-",
    "mount --bind disk/htpasswd inside/htpasswd",
    'echo secret | "$@" passwd inside/htpasswd alice; code=$?',
    "cmp outside/htpasswd disk/htpasswd && ls inside; exit $code",
  ].join("\n");
  const { code, stdout, stderr } = await inContainer(script);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "htpasswd\n" });
  expect(stderr).toBe(`inside/htpasswd: the disk is full: ${join(directory, "inside", "htpasswd")}\n`);
});
