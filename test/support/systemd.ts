import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startable, startedIndirectly } from "../programs/startable.ts";
import { type CommandResult, runCommand } from "./run.ts";

startedIndirectly("mount", "umount", "unshare", "systemd", "systemd-notify");

/** A systemd that manages a system of its own: process 1 of a namespace, beside which it changes nothing of the machine. */
export interface Systemd {
  /** Runs a program of the machine to its end as root of that system. */
  inside(command: readonly [string, ...string[]]): Promise<CommandResult>;
  /** What systemd, and what it started, has written. */
  output(): string;
  /** Kills it, and with it everything that it started. */
  close(): Promise<void>;
}

export interface SystemdSettings {
  /** Files of that system, by absolute path, below its copy of the machine's `/etc`, or `/run`, `/var/lib` or `/opt`, which are empty. */
  readonly files: Readonly<Record<string, string>>;
  /** Folders and files of the machine that are to be seen at another place, below `/opt`. */
  readonly places?: Readonly<Record<string, string>>;
}

const timeLimit = 60_000;
/** Units of the machine that it knows: points in time, which start nothing by themselves. */
const targets = [
  "basic",
  "multi-user",
  "network",
  "nss-lookup",
  "paths",
  "shutdown",
  "slices",
  "sockets",
  "sysinit",
  "timers",
];
/** Where control groups may be, of the first and of the second version. */
const hierarchies = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
/** The folders that are not the machine's. */
const ownPlaces = ["/etc", "/run", "/var/lib", "/opt"] as const;

/** Starts systemd in namespaces of processes, mounts and control groups; the network is the machine's. Needs root. */
export async function startSystemd({ files, places = {} }: SystemdSettings): Promise<Systemd> {
  for (const path of [...Object.keys(files), ...Object.keys(places)]) {
    if (!ownPlaces.some((place) => path.startsWith(`${place}/`))) throw new Error(`${path} is the machine's`);
  }
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-systemd-"));
  for (const [path, content] of Object.entries(files)) {
    const copy = join(directory, "files", path);
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, content);
  }
  const script = join(directory, "start.sh");
  await writeFile(script, startScript(directory, places));
  const group = basename(directory);
  const child = spawn(startable("sh"), ["-c", enterScript(group, script)], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const remember = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout.on("data", remember);
  child.stderr.on("data", remember);
  const exited = once(child, "exit");
  const close = async (): Promise<void> => {
    // Process 1 of its namespace is killed with it (--kill-child), and the kernel then ends all others.
    child.kill("SIGKILL");
    await exited;
    await removeGroups(group);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const inside = async (command: readonly string[]): Promise<CommandResult> =>
    runCommand("nsenter", ["--target", await firstProcess(child.pid ?? 0), "--mount", "--pid", "--ipc", ...command]);
  const end = performance.now() + timeLimit;
  while (performance.now() < end && child.exitCode === null) {
    try {
      if ((await inside(["systemctl", "is-active", "booted.target"])).code === 0) {
        return { inside, output: () => said, close };
      }
    } catch {
      // It has not got so far.
    }
    await delay(100);
  }
  await close();
  throw new Error(`systemd did not start:\n${said}`);
}

/** The process that `unshare` has forked, as the machine numbers it. */
async function firstProcess(parent: number): Promise<string> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, "utf8");
  const [first] = children.trim().split(" ");
  if (first === undefined || first === "") throw new Error("unshare has not forked");
  return first;
}

/** Moves the shell to a control group of its own, from which the namespace then cannot see any other. */
function enterScript(name: string, script: string): string {
  return `set -e
for hierarchy in ${hierarchies.join(" ")}; do
  if [ -e $hierarchy/cgroup.procs ]; then mkdir $hierarchy/${name}; echo $$ > $hierarchy/${name}/cgroup.procs; fi
done
exec ${startable("unshare")} --mount --pid --fork --kill-child --cgroup --ipc --uts sh ${script}
`;
}

/**
 * systemd at its start empties `/tmp`, tidies up elsewhere, sets the kernel's parameters and starts what is enabled. So of the
 * machine's units it is given a few targets and nothing else, and of the machine's files it can change none.
 */
function startScript(directory: string, places: Readonly<Record<string, string>>): string {
  const units = "/usr/lib/systemd/system";
  return `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
cp -a /etc ${directory}/etc
rm -rf ${directory}/etc/systemd
mkdir -p ${directory}/etc/systemd/system ${directory}/units
for target in ${targets.join(" ")}; do cp ${units}/$target.target ${directory}/units; done
mount --bind ${directory}/etc /etc
mount --bind ${directory}/units ${units}
for place in ${ownPlaces.slice(1).join(" ")} /usr/lib/systemd/system-generators; do mount -t tmpfs -o mode=755 tmpfs $place; done
mkdir -p /run/systemd/system /run/lock
for place in ${ownPlaces.join(" ")}; do
  if [ -d ${directory}/files$place ]; then cp -r ${directory}/files$place/. $place/; fi
done
cat > /run/systemd/system/booted.target <<'EOF'
[Unit]
Description=What the test starts systemd with
DefaultDependencies=no
EOF
${Object.entries(places)
  .map(([to, from]) =>
    [
      `if [ -d ${from} ]; then mkdir -p ${to}; else mkdir -p ${dirname(to)}; : > ${to}; fi`,
      `mount --bind ${from} ${to}`,
      `mount -o remount,bind,ro ${to}`,
    ].join("\n"),
  )
  .join("\n")}
umount -R /sys/fs/cgroup || true
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
if grep -q name=systemd /proc/self/cgroup; then
  mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
  mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
for place in /tmp /var/tmp /var/log /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $place; done
mount -o remount,bind,ro /sys
mount -o remount,bind,ro /
# Among its own namespaces, as process 1 of a machine has it: credentials reach services so.
mount --make-rshared /
exec env -i container=registry-gate-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --system --unit=booted.target --log-target=console --show-status=no
`;
}

/** Removes the control groups that were made for it. The kernel needs a moment after the last process has ended. */
async function removeGroups(name: string): Promise<void> {
  const end = performance.now() + 5000;
  for (const group of hierarchies.map((hierarchy) => join(hierarchy, name))) {
    while (existsSync(group) && performance.now() < end) {
      const entries = await readdir(group, { recursive: true, withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
      // The deepest first.
      for (const folder of [...folders, group].sort((one, other) => other.length - one.length)) {
        await rmdir(folder).catch(() => {});
      }
      await delay(50);
    }
  }
}
