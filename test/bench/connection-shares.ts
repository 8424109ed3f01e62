import { readdir, readFile, readlink } from "node:fs/promises";

/** How many connections to a port each process has open at its end (proc_pid_net(5), proc_pid_fd(5)). */
export async function connectionShares(pids: readonly number[], port: number): Promise<number[]> {
  const established = "01";
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  const sockets = new Set(
    lines
      .filter(([, address = "", , state]) => address.endsWith(local) && state === established)
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return Promise.all(
    pids.map(async (pid) => {
      const descriptors = await readdir(`/proc/${pid}/fd`);
      // One may be closed meanwhile.
      const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
      return targets.filter((target) => sockets.has(target)).length;
    }),
  );
}
