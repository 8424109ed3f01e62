import { access, chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { startable } from "../programs/startable.ts";
import { installPackages } from "./install-packages.ts";

let directory: string;
let policy: string;

/** An `apt-get` that writes down how it is called and what starting a service would come to, and cannot install `gone`. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-apt-"));
  policy = join(directory, "policy-rc.d");
  const shell = startable("sh");
  await writeFile(
    join(directory, "apt-get"),
    [
      `#!${shell}`,
      `cd '${directory}'`,
      "./policy-rc.d; service=$?",
      'echo "$* [$DEBIAN_FRONTEND, services: $service]" >>calls',
      'case "$*" in *gone) echo "E: Unable to locate package gone" >&2; exit 100;; esac',
      "",
    ].join("\n"),
  );
  await chmod(join(directory, "apt-get"), 0o755);
  vi.stubEnv("PATH", directory);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true, force: true });
  });
});

const calls = async (): Promise<string[]> => (await readFile(join(directory, "calls"), "utf8")).trim().split("\n");

test("installs one package after the other with a line for each, and lets no service start", async () => {
  const said: string[] = [];
  await installPackages(["nginx", "slapd"], (line) => said.push(line), policy);
  expect(said).toEqual(["installing 2 Debian packages that tests need", "  1 of 2: nginx", "  2 of 2: slapd"]);
  const lock = "-o DPkg::Lock::Timeout=300";
  expect(await calls()).toEqual([
    `${lock} update -qq [noninteractive, services: 101]`,
    `${lock} install --yes -qq --no-install-recommends nginx [noninteractive, services: 101]`,
    `${lock} install --yes -qq --no-install-recommends slapd [noninteractive, services: 101]`,
  ]);
  await expect(access(policy)).rejects.toMatchObject({ code: "ENOENT" });
});

test("says what apt-get said of a package that it could not install, and goes on", async () => {
  const said: string[] = [];
  await installPackages(["gone", "slapd"], (line) => said.push(line), policy);
  expect(said.slice(1)).toEqual([
    "  1 of 2: gone",
    "  gone: failed",
    "    E: Unable to locate package gone",
    "  2 of 2: slapd",
  ]);
  await expect(access(policy)).rejects.toMatchObject({ code: "ENOENT" });
});

test("leaves an administrator's policy for services as it is", async () => {
  await writeFile(policy, "#!/bin/sh\nexit 7\n", { mode: 0o755 });
  await installPackages(["nginx"], () => {}, policy);
  expect((await calls())[0]).toContain("services: 7");
  expect(await readFile(policy, "utf8")).toBe("#!/bin/sh\nexit 7\n");
});

test("does nothing where nothing is missing", async () => {
  const said: string[] = [];
  await installPackages([], (line) => said.push(line), policy);
  expect(said).toEqual([]);
  await expect(access(join(directory, "calls"))).rejects.toMatchObject({ code: "ENOENT" });
});
