/** Whom an examination signs in as; both in Normalization Form C, as the gate reads them. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A header for Basic (RFC 7617). */
export function basicAuthorization({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
