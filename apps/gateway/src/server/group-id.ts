import { readFile } from "node:fs/promises";

/** The number of a group, as a number or by its name in `/etc/group`; `undefined` where it has none. */
export async function groupId(group: string | number): Promise<number | undefined> {
  if (typeof group === "number") return group;
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const lines = (await readFile("/etc/group", "utf8").catch(() => "")).split("\n");
  const [id] = lines.flatMap((line) => {
    const [name, , number = ""] = line.split(":");
    return name === group && /^\d{1,10}$/.test(number) ? [Number(number)] : [];
  });
  return id;
}
