import type { Devices, IssuanceOptions } from "@registry-gate/access-tokens";
import type { AuthBackend, Logger } from "@registry-gate/auth";
import type { AccessRule, Authenticator, RegistryProxy, RequestRecord, SessionUser } from "@registry-gate/core";
import type { StateStore } from "@registry-gate/state";
import type { RequestHandler } from "express";
import type { AuditEvent } from "../audit/audit-event.ts";
import type { PortalConfiguration } from "../config/sections/portal.ts";
import type { PortalFiles } from "./portal-files.ts";

/** How the gate is, as its readiness has it. */
export interface GateStatus {
  readonly parts: readonly {
    readonly part: string;
    readonly status: "ok" | "warning" | "failed";
    readonly reason?: string;
    /** How long ago that was found, in seconds. */
    readonly age: number;
  }[];
  readonly validTo: Date | undefined;
}

/** A backend of the type `portal-users`. */
export interface RememberingBackend {
  readonly id: string;
  /** As it is configured; the plugin judges it. */
  readonly remember?: string;
}

/** What a portal of one gate is opened with, beside what the process knows. */
export interface GatePortalContext {
  readonly configuration: PortalConfiguration;
  readonly files: PortalFiles;
  /** Where sessions are kept. */
  readonly state: StateStore;
  /** Those of the configuration. */
  readonly backends: readonly AuthBackend[];
  readonly access: readonly AccessRule[] | undefined;
  /** The backend that remembers the users of a provider; undefined where none does. */
  readonly remembering: RememberingBackend | undefined;
  /** What access tokens may be created; undefined where no backend accepts any. */
  readonly issuance: IssuanceOptions | undefined;
  /** Absent where no refresh tokens are issued. */
  readonly devices: Devices | undefined;
  readonly trustedProxies: readonly string[];
  /** Records what happens at the pages. Absent where nothing is recorded. */
  readonly audit: ((event: AuditEvent) => void) | undefined;
  /** Whether the names of failed logins may be kept. */
  readonly attemptedNames: boolean;
  /** The gate's certificate and what is with it, as PEM; undefined without TLS. */
  readonly certificate: Buffer | undefined;
  readonly log: Logger;
}

/** The portal of one gate. */
export interface GatePortal {
  /** Who has signed in at the pages: the same at `/v2/`. */
  readonly session: SessionUser;
  /** Finds the session of a request, before anything else does. */
  readonly sessions: RequestHandler;
  /** The pages, and nothing else. */
  pages(parts: { readonly authenticator: Authenticator; readonly registry: RegistryProxy }): Promise<RequestHandler>;
  /** Is told of each request of the registry. */
  finished(record: RequestRecord): void;
  close(): Promise<void>;
}

/** What the process knows of itself. */
export interface PortalProcess {
  status(): Promise<GateStatus>;
}

/** Opens the portal of a gate. Where it is not given, a gate has none. */
export type OpenPortal = (context: GatePortalContext) => Promise<GatePortal>;

/** The same, before a process has said what it knows of itself. */
export type OpenPortalIn = (process: PortalProcess) => OpenPortal;
