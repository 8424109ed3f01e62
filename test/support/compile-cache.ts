import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Lets every Node that tests start share the code that the first one compiled: a gate from source then starts in half the
 * time. Lies in the temporary directory of the run, so no run meets what another one compiled.
 */
export default function setup(): () => void {
  const outer = process.env.NODE_COMPILE_CACHE;
  process.env.NODE_COMPILE_CACHE = join(tmpdir(), "compiled");
  return () => {
    if (outer === undefined) delete process.env.NODE_COMPILE_CACHE;
    else process.env.NODE_COMPILE_CACHE = outer;
  };
}
