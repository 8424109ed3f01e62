/**
 * The parsed `Authorization` header. A backend never sees a header that does not parse.
 *
 * A backend abstains from a scheme that it does not know.
 */
export type Credentials = BasicCredentials | BearerCredentials;

/**
 * RFC 7617: the user name ends at the first colon. Both parts are well-formed Unicode in Normalization Form C without
 * control characters (RFC 8265) and without more than 30 combining marks in a row, and neither is empty or over-long.
 */
export interface BasicCredentials {
  readonly scheme: "basic";
  readonly username: string;
  readonly password: string;
}

/** RFC 6750, section 2.1. The token is not verified. */
export interface BearerCredentials {
  readonly scheme: "bearer";
  readonly token: string;
}
