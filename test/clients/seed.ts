import { dirname } from "node:path";
import { run } from "../support/run.ts";
import { tag } from "./client.ts";
import { newHome } from "./home.ts";
import type { Materials } from "./materials.ts";

/** Puts `image`, `file` and `chart` below a prefix into a registry that lets everybody in, past the gate. */
export async function seed(registry: string, prefix: string, { image, file, chart }: Materials): Promise<void> {
  const { host } = new URL(registry);
  const home = await newHome({});
  const options = { env: { ...process.env, ...home.environment } };
  try {
    const copied = `docker://${host}/${prefix}/image:${tag}`;
    await run("skopeo", ["copy", "--dest-tls-verify=false", `docker-archive:${image}`, copied], options);
    const pushed = `${host}/${prefix}/file:${tag}`;
    // By its name alone: a file that bears a path is not pulled again.
    await run("oras", ["push", "--plain-http", pushed, "file.txt"], { ...options, cwd: dirname(file) });
    const target = `oci://${host}/${prefix}`;
    await run("helm", ["push", "--plain-http", await chart(`${prefix}/chart`), target], options);
  } finally {
    await home.close();
  }
}
