import type { DiagnosisStep } from "@registry-gate/auth";
import type { ExaminedStep } from "./examination.ts";
import { basicAuthorization, type Login } from "./login.ts";

/** What stands for the password where a server has repeated it. */
const concealed = "[the password]";

/**
 * Takes the password out of what is shown of a step: a front, a registry or a directory may repeat what it was sent, and
 * reports are passed on.
 */
export function conceal(step: ExaminedStep, login: Login | undefined): ExaminedStep {
  if (login === undefined) return step;
  const { password } = login;
  const encoded = basicAuthorization(login).split(" ")[1] ?? "";
  // The longest first: one may be a part of another.
  const secrets = [encoded, encodeURIComponent(password), JSON.stringify(password).slice(1, -1), password];
  const clean = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, concealed), text);
  const details: DiagnosisStep["details"] = Object.fromEntries(
    Object.entries(step.details).map(([name, value]) => [
      name,
      typeof value === "string" ? clean(value) : value.map((item) => clean(item)),
    ]),
  );
  return { ...step, details, findings: step.findings.map((finding) => ({ ...finding, seen: clean(finding.seen) })) };
}
