import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const gateway = resolve(import.meta.dirname, "../../apps/gateway");

/** Says, before the command's main module is loaded, how many listen to SIGUSR1. */
const hook = `
  import { registerHooks } from "node:module";
  registerHooks({
    load(url, context, nextLoad) {
      if (url.endsWith("/src/main.ts")) process.stderr.write(\`listeners: \${process.listenerCount("SIGUSR1")}\\n\`);
      return nextLoad(url, context);
    },
  });
`;

test.each(["src/registry-gate.ts", "checkout/gate.ts"])(
  "%s keeps the debugger closed before it loads the rest, so that SIGUSR1 at the start opens none",
  async (file) => {
    const { stderr } = await promisify(execFile)(process.execPath, [
      "--conditions=development",
      `--import=data:text/javascript,${encodeURIComponent(hook)}`,
      join(gateway, file),
      "--version",
    ]);
    expect(stderr).toBe("listeners: 1\n");
  },
);
