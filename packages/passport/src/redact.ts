const longest = 200;

/** Makes a foreign message safe for the log: one line, without the secrets, of limited length. */
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
    // A thrown value may throw again when it is read.
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
