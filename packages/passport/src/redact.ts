const longest = 200;

/** What a foreign error or message says, in one line that is fit for a log: without the secrets, and not over-long. */
export function redact(text: string, secrets: readonly string[]): string {
  const [line = ""] = withoutSecrets(text, secrets).split(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

/**
 * An error with the message and the stack of another, without the secrets in them, and without what else the other
 * carries: clients of HTTP and LDAP keep whole requests in their errors.
 */
export function redactedError(error: unknown, secrets: readonly string[]): Error {
  try {
    return redactedCopy(error, secrets);
  } catch {
    // What was thrown may throw again as soon as anybody looks at it.
    return new Error("an error that cannot be read");
  }
}

function redactedCopy(error: unknown, secrets: readonly string[]): Error {
  if (!(error instanceof Error)) return new Error(redact(String(error), secrets));
  const redacted = new Error(redact(error.message, secrets));
  redacted.name = redact(error.name, secrets);
  if (error.stack !== undefined) redacted.stack = withoutSecrets(error.stack, secrets);
  return redacted;
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== "")
    .toSorted((one, other) => other.length - one.length)
    .reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text);
}
