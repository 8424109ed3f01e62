import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { type DiagnosisStep, timerDelay } from "@registry-gate/auth";
import { refuseUpgrade } from "@registry-gate/auth-kit";
import { registryAuthorization } from "@registry-gate/core";
import { readSettled } from "@registry-gate/watched-file";
import type { CredentialsConfiguration, UpstreamConfiguration } from "../config/sections/upstream.ts";
import { openCredentials } from "../gate/registry-credentials.ts";
import { type Finding, timedStep } from "./timed-step.ts";

const timeLimit = 10_000;
/** As much of a body as is looked at, in bytes. */
const longestBody = 64 * 1024;

/** The options of one request to a registry. */
interface AskOptions {
  readonly ca?: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

interface Response {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Checks that the upstream is a registry and accepts the gate's own login. */
export function diagnoseRegistry({
  url,
  ca,
  credentials,
  connectTimeout = timeLimit,
}: UpstreamConfiguration): Promise<DiagnosisStep> {
  return timedStep("ping", url, async () => {
    const options: AskOptions = {
      ...(ca !== undefined && { ca: (await readSettled(ca)).content }),
      headers: credentials === undefined ? {} : { authorization: await authorizationOf(credentials) },
      signal: AbortSignal.timeout(timerDelay(connectTimeout)),
    };
    return judge(await ask(new URL("/v2/", url), options), credentials !== undefined);
  });
}

async function authorizationOf(credentials: CredentialsConfiguration): Promise<string> {
  const live = await openCredentials(credentials, { info() {}, warn() {} });
  live.close();
  return registryAuthorization(live.current());
}

function ask(url: URL, options: AskOptions): Promise<Response> {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(options.signal.aborted ? new Error("no response in time") : explained(error));
    const outgoing = request(url, { ...options, agent: false }, (response) => {
      const { statusCode = 0, headers } = response;
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = (): void => resolve({ statusCode, headers, body: Buffer.concat(chunks).toString("utf8") });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < longestBody) return;
        finish();
        response.destroy();
      });
      response.once("end", finish);
      response.once("error", fail);
    });
    refuseUpgrade(outgoing, fail);
    outgoing.once("error", fail).end();
  });
}

/** Of a name with several addresses, Node's error has a code alone. */
function explained(error: NodeJS.ErrnoException): Error {
  return error.message === "" ? new Error(error.code ?? error.name, { cause: error }) : error;
}

/**
 * A registry responds to its own version check with 200 (OCI Distribution Specification 1.1, section "Determining Support"), and
 * so does many a web page: it must show as well that it is one.
 */
function judge(ping: Response, signedIn: boolean): Finding {
  const version = ping.headers["docker-distribution-api-version"];
  const failed = (reason: string): Finding => ({ outcome: "failed", about: "backend", details: { reason } });
  if (ping.statusCode === 401) {
    if (signedIn) return failed("the registry rejects upstream.credentials");
    const hint = isRegistry(ping) ? ": set upstream.credentials" : "";
    return failed(`the registry requires a login, and users' passwords are never forwarded to it${hint}`);
  }
  if (ping.statusCode !== 200) return failed(`responds with ${ping.statusCode}, but a registry responds with 200`);
  if (!isRegistry(ping)) {
    return failed("responds with 200, but not like a registry: no Docker-Distribution-Api-Version header and no JSON");
  }
  return { outcome: "ok", about: "backend", details: typeof version === "string" ? { version } : {} };
}

/** Whether a response is one of a registry: by the header of docker-registry's API, or by its JSON. */
function isRegistry({ statusCode, headers, body }: Response): boolean {
  if (headers["docker-distribution-api-version"] !== undefined) return true;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return false;
  }
  if (typeof parsed !== "object" || parsed === null) return false;
  // The version check of docker-registry has an empty object.
  if (statusCode === 200) return !Array.isArray(parsed) && Object.keys(parsed).length === 0;
  return "errors" in parsed && Array.isArray(parsed.errors) && parsed.errors.some(hasCode);
}

function hasCode(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string";
}
