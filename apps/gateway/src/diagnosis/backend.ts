import type { AuthBackend, AuthResult, DiagnosisLogin, DiagnosisStep } from "@registry-gate/auth";
import { containmentOf } from "@registry-gate/auth-kit";
import { type Finding, timedStep } from "./timed-step.ts";

/** What a backend finds out about itself and about a login; where it has no diagnosis of its own, by asking it. */
export async function* diagnoseBackend(
  backend: AuthBackend,
  login: DiagnosisLogin | undefined,
  signal: AbortSignal,
): AsyncGenerator<DiagnosisStep, void, void> {
  // What nobody catches ends the step in which it comes; after the last one it is no concern of anybody's.
  const containment = containmentOf(backend, () => {});
  if (backend.diagnose !== undefined) {
    try {
      const steps = backend.diagnose(login, signal)[Symbol.asyncIterator]();
      for (;;) {
        const step = await containment.run(() => steps.next());
        if (step.done === true) break;
        yield step.value;
      }
    } catch (error) {
      yield await timedStep("diagnosis", backend.id, () => Promise.reject(error));
    }
    return;
  }
  if (backend.check !== undefined) {
    const check = backend.check.bind(backend);
    const step = await timedStep("check", backend.id, async () => {
      await containment.run(check, signal);
      return { outcome: "ok", about: "backend", details: {} };
    });
    yield step;
    if (step.outcome === "failed") return;
  }
  if (login?.password === undefined) return;
  const { username, password } = login;
  yield await timedStep("login", backend.id, async () =>
    judge(
      await containment.run(
        (until) =>
          backend.authenticate({
            credentials: { scheme: "basic", username, password },
            peer: { address: "127.0.0.1", unixSocket: false },
            client: "127.0.0.1",
            header: () => [],
            signal: until,
          }),
        signal,
      ),
    ),
  );
}

function judge(result: AuthResult): Finding {
  if (result.status === "authenticated") {
    const { username, groups } = result.identity;
    return { outcome: "ok", about: "login", details: { username, groups } };
  }
  const reason = "reason" in result ? result.reason : "does not know the user";
  return { outcome: "failed", about: "login", details: { reason } };
}
