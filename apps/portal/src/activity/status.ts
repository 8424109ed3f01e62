/** How something that the portal depends on is. */
export interface PartStatus {
  /** Such as `registry`, or `backend:ldap`. */
  readonly name: string;
  /** `warning`: nothing is wrong yet, but somebody should look. */
  readonly state: "ok" | "warning" | "failed";
  /** Why it is not `ok`. */
  readonly reason?: string;
  /** When that was found, in milliseconds since the epoch. */
  readonly since?: number;
}

/** How the gate is. */
export interface PortalStatus {
  /** Backends, the registry, the state, the last reload. */
  readonly parts: readonly PartStatus[];
  /** When the certificate expires, in milliseconds since the epoch; absent without one. */
  readonly certificateUntil?: number;
}
