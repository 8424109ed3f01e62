import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isProgramName, type ProgramName } from "./programs.ts";
import { type ModuleReading, readModule } from "./read-module.ts";

/** What the module of a test needs of the machine, with all that it imports. */
export interface Needs {
  readonly programs: ReadonlySet<ProgramName>;
  /** Whether any process is started, be it of Node alone. */
  readonly processes: boolean;
  /** Whether anything listens, be it in the process of the test. */
  readonly servers: boolean;
}

/** Finds what modules need by their text: they are not run. */
export interface NeedsReader {
  /** @param path Absolute. */
  needsOf(path: string): Needs;
}

/** Reads each module once. */
export function createNeedsReader(): NeedsReader {
  const readings = new Map<string, ModuleReading>();

  function read(path: string): ModuleReading {
    const known = readings.get(path);
    if (known !== undefined) return known;
    const reading = readModule(readFileSync(path, "utf8"), path);
    readings.set(path, reading);
    return reading;
  }

  return {
    needsOf(path) {
      const programs = new Set<ProgramName>();
      let processes = false;
      let servers = false;
      const seen = new Set([path]);
      // A set goes on to what is added to it meanwhile.
      for (const module of seen) {
        const { imports, started, spawns, listens } = read(module);
        for (const name of started) if (isProgramName(name)) programs.add(name);
        processes ||= spawns;
        servers ||= listens;
        for (const target of imports) {
          const imported = resolve(dirname(module), target);
          if (/\.[cm]?tsx?$/.test(imported) && existsSync(imported)) seen.add(imported);
        }
      }
      return { programs, processes, servers };
    },
  };
}
