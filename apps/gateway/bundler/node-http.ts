import http from "node:http";
import type { Plugin } from "rolldown";

const id = "\0node:http";

/**
 * Takes `node:http` by `require`. An `import` reads every property of it, and some of these are classes of WebSockets, for which
 * Node then loads its HTTP client: 25 ms of each start, and 2 MiB of each process, for what no gate uses.
 */
export const nodeHttp: Plugin = {
  name: "node-http",
  resolveId: {
    filter: { id: /^(?:node:)?http$/ },
    handler: (_, __, { kind }) => (kind === "import-statement" ? { id, moduleSideEffects: false } : null),
  },
  load: {
    filter: { id: new RegExp(`^${id}$`) },
    handler: () => `
import { createRequire } from "node:module";
const http = createRequire(import.meta.url)("node:http");
export const { ${names.join(", ")} } = http;
export default http;
`,
  },
};

/** All that can be read without an effect. */
const names = Object.entries(Object.getOwnPropertyDescriptors(http))
  .filter(([, { get }]) => get === undefined)
  .map(([name]) => name);
