import { type Exchange, ExchangeError } from "./exchange.ts";
import { endBy, errorOf, isPage } from "./response-faults.ts";
import { pushScope, type Trial } from "./trial.ts";
import { beginUpload, patchOnce } from "./upload.ts";

const chunkSize = 65_536;
const chunk = Buffer.alloc(chunkSize);
/** How long a front may take that passes a request on at once, in milliseconds. */
const promptly = 4_000;
/** How long a client waits for `100 Continue` (RFC 9110, section 10.1.1, leaves it open), in milliseconds. */
const continueLimit = 5_000;
/** As long as tokens are of a user with many groups, in characters; nginx takes 8 KiB by default. */
const longToken = 7 * 1024;

/**
 * Sends so many bytes as an upload that is not finished, in chunks without a Content-Length, as docker does.
 *
 * @throws {StepEnd} where the body is refused.
 */
export async function sendLargeBody(trial: Trial, size: number): Promise<void> {
  const { report } = trial;
  const upload = await beginUpload(trial);
  let sent = 0;
  let response: Exchange;
  try {
    response = await patchOnce(trial, upload, {
      timeLimit: 600_000,
      async send({ write, responds }) {
        while (sent < size && !(await responds(0))) {
          const length = Math.min(chunkSize, size - sent);
          await write(chunk.subarray(0, length));
          sent += length;
        }
      },
    });
  } catch (error) {
    if (!(error instanceof ExchangeError) || !error.connected || error.code === "ABORTED") throw error;
    report("body-limit-front", `the connection ended after ${sent} of ${size} bytes of a layer: ${error.message}`);
    return;
  }
  if (response.status !== 202 && response.status !== 204) endBy(report, response, "push");
}

/** Sends a body slowly, in four bursts, and reports where it is cut off. @param duration In milliseconds. */
export async function sendSlowly(trial: Trial, duration: number): Promise<void> {
  const { report } = trial;
  const upload = await beginUpload(trial);
  const start = performance.now();
  const seen = (what: string): string =>
    `a layer that takes ${duration / 1000} s is cut off after ${Math.round((performance.now() - start) / 1000)} s: ${what}`;
  let response: Exchange;
  try {
    response = await patchOnce(trial, upload, {
      timeLimit: duration + 120_000,
      async send({ write, responds }) {
        for (let burst = 0; burst < 4; burst++) {
          // Above the least rate that the gate demands.
          await write(chunk);
          if (burst < 3 && (await responds(duration / 3))) return;
        }
      },
    });
  } catch (error) {
    if (!(error instanceof ExchangeError) || !error.connected || error.code === "ABORTED") throw error;
    report("slow-cut", seen(error.message));
    return;
  }
  const { status } = response;
  if (status === 408 || (status >= 500 && isPage(response))) report("slow-cut", seen(`status ${status}`));
  else if (status !== 202 && status !== 204) endBy(report, response, "push");
}

/** Asks with `Expect: 100-continue` before a body, as curl does. */
export async function expectContinue(trial: Trial): Promise<void> {
  const { report } = trial;
  const upload = await beginUpload(trial);
  const bytes = Buffer.from("a chunk");
  try {
    const response = await patchOnce(trial, upload, {
      headers: { Expect: "100-continue", "Content-Length": `${bytes.length}` },
      async send({ write, continues }) {
        await continues(continueLimit);
        await write(bytes);
      },
    });
    const { status } = response;
    if (status === 417) report("expect-refused", "a request with Expect: 100-continue gets 417");
    else if (status !== 202 && status !== 204) endBy(report, response, "push");
  } catch (error) {
    if (!(error instanceof ExchangeError) || !error.connected || error.code === "ABORTED") throw error;
    report("expect-refused", `a request with Expect: 100-continue gets no response: ${error.message}`);
  }
}

/**
 * Sends the head and the beginning of a request that the gate refuses without its body: nobody can put a list of tags. A
 * front that waits for the rest stores bodies before it passes them on.
 */
export async function detectBuffering({ session, report, repository }: Trial): Promise<void> {
  const size = 1024 * 1024;
  let early = false;
  await session.request({
    method: "PUT",
    path: `/v2/${repository}/tags/list`,
    scopes: [pushScope(repository)],
    headers: { "Content-Type": "application/octet-stream", "Content-Length": `${size}` },
    async send({ write, responds }) {
      await write(chunk);
      early = await responds(promptly);
      if (!early) for (let sent = chunkSize; sent < size; sent += chunkSize) await write(chunk);
    },
  });
  if (early) return;
  report("body-buffered", `a refusal came after the whole body of ${size} bytes, not after its beginning`);
}

/** Sends a header as long as a large token. The gate refuses the token, a front with a low limit the request. */
export async function sendLongHeader({ session, report }: Pick<Trial, "session" | "report">): Promise<void> {
  try {
    const response = await session.requestWith(`Bearer ${"a".repeat(longToken)}`, { method: "GET", path: "/v2/" });
    const { status } = response;
    if (![400, 413, 414, 431, 494].includes(status) || errorOf(response) !== undefined) return;
    report("header-limit", `a request with a header of ${longToken} bytes gets ${status}`);
  } catch (error) {
    if (!(error instanceof ExchangeError) || !error.connected || error.code === "ABORTED") throw error;
    report("header-limit", `a request with a header of ${longToken} bytes gets no response: ${error.message}`);
  }
}
