import { run } from "../support/run.ts";
import type { Contender } from "./contender.ts";
import { forgetPeak, peakMemory, processorSeconds } from "./process-usage.ts";

/** What one large body came to. */
export interface Transfer {
  /** MB a second. */
  readonly rate: number;
  /** Processor time of the contender for a GiB, in seconds. */
  readonly processor: number;
  /** The contender's peak of resident memory meanwhile, in MiB. */
  readonly peak: number;
}

/** Downloads `path` by curl, in a process of its own. */
export function download(contender: Contender, path: string, bytes: number): Promise<Transfer> {
  return transfer(contender, path, bytes, ["--output", "/dev/null"]);
}

/**
 * Uploads `file` to `path` by curl.
 *
 * @param method `PUT` sends the body with its length, `PATCH` in chunks, as docker does.
 */
export function upload(
  contender: Contender,
  { path, file, bytes, method }: { path: string; file: string; bytes: number; method: "PUT" | "PATCH" },
): Promise<Transfer> {
  const chunks = method === "PATCH" ? ["--header", "Transfer-Encoding: chunked"] : [];
  return transfer(contender, path, bytes, [
    ...["--request", method, "--upload-file", file, "--header", "Expect:", ...chunks],
    ...["--output", "/dev/null"],
  ]);
}

async function transfer(
  { url, pid, headers }: Contender,
  path: string,
  bytes: number,
  options: readonly string[],
): Promise<Transfer> {
  await forgetPeak(pid);
  const before = await processorSeconds(pid);
  const output = await run("curl", [
    ...["--silent", "--show-error", "--fail", "--insecure", "--http1.1"],
    ...["--write-out", "%{time_total} %{size_download} %{size_upload}"],
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ...options,
    url + path,
  ]);
  const [seconds = 0, down = 0, up = 0] = output.split(" ").map(Number);
  // What went up is counted with the frames of the chunks.
  if (down !== bytes && up < bytes) throw new Error(`${down} bytes down and ${up} up instead of ${bytes}`);
  return {
    rate: bytes / seconds / 1e6,
    processor: ((await processorSeconds(pid)) - before) / (bytes / 2 ** 30),
    peak: await peakMemory(pid),
  };
}
