import type { DiagnosisStep } from "@registry-gate/auth";
import { type ConnectStep, openSocket } from "../connect/open-socket.ts";
import { judgeServiceBind } from "../outcomes.ts";
import type { Prepared } from "../prepare.ts";
import { createSession, type Session } from "../protocol/session.ts";
import type { DirectorySettings } from "../settings.ts";
import type { ServerAddress } from "../url.ts";
import { attempt, reasonOf, type Steps } from "./attempt.ts";

/** Connects, and signs in as the service account where there is one. */
export async function* reach(
  { settings, account }: Prepared,
  address: ServerAddress,
  signal: AbortSignal,
): Steps<Session> {
  const session = yield* connect(settings.directory, address, signal);
  const service = account();
  if (session === undefined || service === undefined) return session;
  const bound = yield* attempt("service-bind", address.url, async () => {
    judgeServiceBind(await session.bind(service.dn, service.password, signal));
    return { value: true, details: { dn: service.dn } };
  });
  if (bound === true) return session;
  session.close();
  return undefined;
}

/** Opens a connection; TCP, StartTLS and TLS are a step each. */
export async function* connect(
  { connect: settings, timeout }: DirectorySettings,
  address: ServerAddress,
  signal: AbortSignal,
): Steps<Session> {
  const { url } = address;
  const steps: DiagnosisStep[] = [];
  const start = performance.now();
  const observe = ({ step, milliseconds, details }: ConnectStep): void => {
    steps.push({ step, target: url, outcome: "ok", about: "backend", milliseconds, details });
  };
  let socket: Awaited<ReturnType<typeof openSocket>>;
  try {
    socket = await openSocket(address, settings, signal, observe);
  } catch (error) {
    yield* steps;
    const done = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const step = steps.length === 0 ? "connect" : address.ldaps || steps.length === 2 ? "tls" : "start-tls";
    const milliseconds = performance.now() - start - done;
    yield {
      step,
      target: url,
      outcome: "failed",
      about: "backend",
      milliseconds,
      details: { reason: reasonOf(error) },
    };
    return undefined;
  }
  const session = createSession(socket, url, timeout);
  yield* steps;
  return session;
}
