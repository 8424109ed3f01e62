/**
 * Builds and packs every package that is meant to be published and says, one line each, whether it is fit for it.
 * Ends with exit code 1 when one is not.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "./inspect.ts";
import { packWorkspace, publishedPackages } from "./pack.ts";

const destination = await mkdtemp(join(tmpdir(), "registry-gate-packed-"));
try {
  for (const packed of await packWorkspace(destination)) {
    const faults = await inspect(packed.tarball);
    const size = `${packed.files.length} files`;
    console.log(`${packed.name} ${packed.version}: ${faults.length === 0 ? `good, ${size}` : "not fit"}`);
    for (const fault of faults) console.log(`  ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
  for (const directory of (await publishedPackages()).unbuilt) {
    console.log(`${directory}: not fit\n  it is to be published, but the root's tsconfig.json does not build it`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(destination, { recursive: true, force: true });
}
