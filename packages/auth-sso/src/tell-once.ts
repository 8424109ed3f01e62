import type { Logger } from "@registry-gate/auth";

/** Tells of a peculiarity of what a front or an issuer sends. */
export type TellOnce = (fields: Readonly<Record<string, string>>, message: string) => void;

/** Above the number of peculiarities that there are. */
const most = 100;

/** Writes each warning once, however many requests give reason for it. */
export function tellOnce(log: Logger): TellOnce {
  const told = new Set<string>();
  return (fields, message) => {
    const key = JSON.stringify([fields, message]);
    if (told.has(key) || told.size >= most) return;
    told.add(key);
    log.warn(fields, message);
  };
}
