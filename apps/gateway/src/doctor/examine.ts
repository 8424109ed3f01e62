import { lookAround, type Neighbour } from "./around.ts";
import { detectBuffering, expectContinue, sendLargeBody, sendLongHeader, sendSlowly } from "./body-limits.ts";
import { readChallenge } from "./challenge.ts";
import { whyNoResponse } from "./connect-faults.ts";
import { isPublic, listTags, pullImage, pushManifest, reportLeak, requireMissing } from "./content.ts";
import { createExamination, type Details, type ExaminedStep, StepEnd } from "./examination.ts";
import { type Connection, ExchangeError } from "./exchange.ts";
import { createTrialImage } from "./image.ts";
import type { Login } from "./login.ts";
import { isLoopbackHost, realmsOf } from "./realm.ts";
import { canDelete } from "./remove.ts";
import { neighbourRepository } from "./repositories.ts";
import { described, endBy, errorOf, isPage } from "./response-faults.ts";
import { createSession } from "./session.ts";
import { createCleanUp, type Trial } from "./trial.ts";
import { beginUpload, mountBlob, type Upload, uploadInChunks, uploadWhole } from "./upload.ts";

export interface ExamineOptions {
  /** The gate, as clients name it; its path is of no importance. */
  readonly url: URL;
  readonly connection: Connection;
  /** Absent: only what needs no login. */
  readonly login: Login | undefined;
  /** Where to push, the likeliest first. The first that is not denied is taken. */
  readonly repositories: readonly string[];
  /** Of the largest body that is tried, in bytes. */
  readonly size: number;
  /** How long a slow upload takes, in milliseconds; absent: none is tried. */
  readonly slow: number | undefined;
  readonly neighbours: readonly Neighbour[];
  /** Whether a backend has accepted the login beside the gate. */
  readonly accepted: boolean;
  /** Whether a rule of the configuration names `anonymous`. */
  readonly allowsAnonymous: boolean;
  /** Ends the examination early. What it has pushed is removed all the same. */
  readonly signal: AbortSignal;
}

/** How long removing may take in all, in milliseconds. */
const cleanUpLimit = 60_000;

/**
 * Does with a gate what docker does, step by step, and removes what it has pushed. A step that needs an earlier one is left
 * out where that has failed.
 */
export async function* examine(options: ExamineOptions): AsyncGenerator<ExaminedStep, void, void> {
  const { connection, login, repositories, size, slow, neighbours, accepted, allowsAnonymous, signal } = options;
  const base = new URL("/", options.url);
  const { report, take } = createExamination(base.origin, base.host);
  const session = createSession({ base, connection, login, signal, report });
  const cleanUp = createCleanUp();
  const image = createTrialImage();
  let trial: Trial | undefined;
  let pushed = false;

  const step = (name: string, act: () => Promise<Details | undefined>, about?: "login"): Promise<ExaminedStep> =>
    take(
      name,
      async () => {
        try {
          return (await act()) ?? {};
        } catch (error) {
          if (error instanceof ExchangeError) report(...(await whyNoResponse(error, base, connection)));
          throw error;
        }
      },
      about,
    );

  async function connectTo(): Promise<Details> {
    if (base.protocol === "http:" && !isLoopbackHost(base.hostname) && connection.socketPath === undefined) {
      report("plain-http", `${base.origin} is plain HTTP`);
    }
    const response = await session.request({ method: "GET", path: "/v2/", anonymous: true });
    const { status, headers, body } = response;
    const text = body.toString("utf8");
    if (status === 400 && /HTTPS (?:port|server)|speaks HTTPS/.test(text)) {
      report("http-on-tls-port", `${base.origin} speaks TLS, not plain HTTP`);
      throw new StepEnd("TLS");
    }
    if (status === 400 && /SSL certificate/.test(text)) {
      report("tls-handshake", `${base.origin} demands a certificate of the client`);
      throw new StepEnd("client certificate");
    }
    const challenge = readChallenge(headers["www-authenticate"]);
    session.setChallenge(challenge);
    if (status === 401) {
      if (challenge === undefined) {
        if (isPage(response)) endBy(report, response, "pull");
        report("no-challenge", `${described(response)} with ${shown(headers["www-authenticate"])}`);
        throw new StepEnd("no challenge");
      }
    } else if (status === 404 || (status === 200 && isPage(response))) {
      if (isPage(response) && status === 200) endBy(report, response, "pull");
      report("not-a-registry", described(response));
      throw new StepEnd("no registry");
    } else if (status !== 200) endBy(report, response, "pull");
    else if (headers["docker-distribution-api-version"] === undefined && text.trim() !== "{}") {
      report("not-a-registry", `${described(response)}, but not like a registry`);
      throw new StepEnd("no registry");
    }
    return {
      asks: challenge === undefined ? "for no login" : `for ${challenge.kind === "basic" ? "Basic" : "Bearer"}`,
    };
  }

  async function judgeChallenge(): Promise<Details> {
    const challenge = session.challenge();
    if (challenge === undefined) return { reason: "no login is asked for" };
    if (challenge.kind === "basic") {
      if (allowsAnonymous) report("anonymous-basic", "a rule names anonymous, and the challenge is Basic");
      return { scheme: "Basic" };
    }
    realmsOf(challenge.realm, base, report);
    return { scheme: "Bearer", realm: challenge.realm };
  }

  async function signIn(): Promise<Details> {
    const challenge = session.challenge();
    try {
      const response = await session.request({ method: "GET", path: "/v2/" });
      if (response.status === 401 && (accepted || (challenge?.kind === "bearer" && errorOf(response) !== undefined))) {
        report("authorization-lost", `${described(response)} as if there were no login`);
      }
      if (response.status !== 200) endBy(report, response, "pull");
    } catch (error) {
      if (error instanceof StepEnd && challenge?.kind === "bearer" && (await losesAuthorization())) {
        report("authorization-lost", "the gate gets requests without their header Authorization");
      }
      throw error;
    }
    return { username: login?.username ?? "" };
  }

  /** A token that is none is called so in the challenge, unless it was lost on its way. */
  async function losesAuthorization(): Promise<boolean> {
    const response = await session.requestWith("Bearer none", { method: "GET", path: "/v2/" });
    const challenge = readChallenge(response.headers["www-authenticate"]);
    return response.status === 401 && challenge?.kind === "bearer" && challenge.error === undefined;
  }

  /** The first repository that the user may push to, with an upload that has begun there. */
  async function findRepository(): Promise<{ trial: Trial; upload: Upload }> {
    for (const [index, repository] of repositories.entries()) {
      const candidate: Trial = { session, report, repository, image, cleanUp };
      // Only the last refusal is a finding.
      const last = index === repositories.length - 1;
      const response = last ? undefined : await tryUpload(candidate);
      if (response === "denied") continue;
      return { trial: candidate, upload: await beginUpload(candidate) };
    }
    throw new StepEnd("no repository to push to: name one with --repository");
  }

  async function tryUpload({ repository }: Trial): Promise<"denied" | "allowed"> {
    try {
      const probe = createSession({ base, connection, login, signal, report: () => {} });
      probe.setChallenge(session.challenge());
      const response = await probe.request({
        method: "GET",
        path: `/v2/${repository}/tags/list`,
        scopes: [`repository:${repository}:pull,push`],
      });
      if (response.status === 401 || response.status === 403) return "denied";
      return await mayPush(probe, repository);
    } catch (error) {
      if (error instanceof StepEnd) return "denied";
      throw error;
    }
  }

  async function mayPush(probe: ReturnType<typeof createSession>, repository: string): Promise<"denied" | "allowed"> {
    const response = await probe.request({
      method: "PATCH",
      path: `/v2/${repository}/blobs/uploads/00000000-0000-4000-8000-000000000000`,
      scopes: [`repository:${repository}:pull,push`],
      body: "",
    });
    return response.status === 401 || response.status === 403 ? "denied" : "allowed";
  }

  async function* walk(): AsyncGenerator<ExaminedStep, void, void> {
    const connected = await step("connect", connectTo);
    yield connected;
    if (connected.broken) return;
    yield await step("challenge", judgeChallenge);
    if (session.challenge()?.kind === "bearer") {
      yield await step("headers", async () => void (await sendLongHeader({ session, report })));
    }
    if (login === undefined && session.challenge() !== undefined) return;
    const signedIn = await step("login", signIn, "login");
    yield signedIn;
    if (signedIn.broken) return;
    let upload: Upload | undefined;
    const found = await step("upload", async () => {
      ({ trial, upload } = await findRepository());
      return { repository: trial.repository };
    });
    yield found;
    if (trial === undefined || upload === undefined) return;
    yield* push(trial, upload);
  }

  async function* push(current: Trial, upload: Upload): AsyncGenerator<ExaminedStep, void, void> {
    const missing = await step("missing tag", () => requireMissing(current).then(() => ({})));
    yield missing;
    const whole = await step("whole blob", async () => void (await uploadWhole(current, upload, image.config)));
    yield whole;
    const chunked = await step("chunked blob", async () => void (await uploadInChunks(current, image.layer)));
    yield chunked;
    yield await step("large body", async () => {
      await sendLargeBody(current, size);
      return { bytes: `${size}` };
    });
    yield await step("buffering", async () => void (await detectBuffering(current)));
    yield await step("expect", async () => void (await expectContinue(current)));
    if (slow !== undefined) yield await step("slow body", async () => void (await sendSlowly(current, slow)));
    if (missing.broken || whole.broken || chunked.broken) return;
    let tag: string | undefined;
    const manifest = await step("push", async () => {
      tag = (await canDelete(session, current.repository)) ? image.tag : undefined;
      await pushManifest(current, tag);
      pushed = true;
      return tag === undefined
        ? { reason: "by digest, without a tag: this user or registry cannot delete one" }
        : { tag: `${current.repository}:${tag}` };
    });
    yield manifest;
    if (manifest.broken) return;
    yield await step("pull", async () => {
      const before = await isPublic(current);
      if (before && session.challenge()?.kind === "basic") {
        report("anonymous-basic", `${current.repository} can be pulled without a login, and the challenge is Basic`);
      }
      await pullImage(current, tag);
      if (!before && (await isPublic(current))) reportLeak(report, current.repository);
      return { digest: image.manifest.digest };
    });
    yield await step("list", async () => ({ found: await listTags(current, tag) }));
    yield await step("mount", () => mount(current));
  }

  async function mount(source: Trial): Promise<Details> {
    const target: Trial = { ...source, repository: neighbourRepository(source.repository) };
    const response = await mountBlob(target, source.repository, image.config);
    if (response.status === 201) return { into: target.repository };
    if (response.status === 202) return { reason: "the registry wants the blob again, as clients expect" };
    if (response.status === 403 || response.status === 401) {
      return { reason: `not tried: ${target.repository} is no repository of this user's` };
    }
    return endBy(report, response, "push");
  }

  for await (const taken of walk()) {
    yield taken;
    if (signal.aborted) break;
  }
  if (!signal.aborted && neighbours.length > 0) {
    yield await step("around", async () => {
      const image = pushed && trial !== undefined ? { ...trial, manifest: trial.image.manifest } : undefined;
      for (const neighbour of neighbours) await lookAround(report, neighbour, image, signal);
      return { tried: [...new Set(neighbours.map(({ url }) => url.host))].join(", ") };
    });
  }
  if (!cleanUp.pending()) return;
  yield await take("clean up", async () => {
    const left = await cleanUp.run(AbortSignal.timeout(cleanUpLimit));
    if (left.length > 0) report("left-behind", left.join(", "));
    return {
      reason: pushed
        ? "no tag is left; manifest and blobs are deleted where the registry can, and it keeps the empty repositories"
        : "nothing is left but empty repositories",
    };
  });
}

function shown(header: string | undefined): string {
  return header === undefined ? "no WWW-Authenticate" : `WWW-Authenticate: ${header.slice(0, 100)}`;
}
