import type { Fault } from "@registry-gate/auth";
import { jwkSchema, type KeyMaterial } from "@registry-gate/token";
import { z } from "zod";
import { nothing, type Topic, topic } from "./topic.ts";

/** What the primary and its workers say to each other about their own life. */

const fault: z.ZodType<Fault> = z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() });

/** A file and its content in Base64. */
const file: z.ZodType<SentFile> = z.object({ path: z.string(), content: z.base64() });

export interface SentFile {
  readonly path: string;
  readonly content: string;
}

/** What is in force: the configuration as the primary has read it, with the certificate and key that belong to it. */
export interface Accepted {
  readonly source: SentFile;
  /** Certificate, key, and the authorities of clients; empty for plain HTTP. */
  readonly tls: readonly SentFile[];
  /** How many processes handle requests. */
  readonly workers: number;
}

const accepted: z.ZodType<Accepted> = z.object({
  source: file,
  tls: z.array(file),
  workers: z.int(),
});

/** What a worker begins with. */
export interface Beginning {
  /** The number of its place among the workers, from 1. */
  readonly worker: number;
  readonly accepted: Accepted;
  /** Random, the same for all workers. */
  readonly key: KeyMaterial;
  /** In Base64. */
  readonly ticketSecret: string;
}

const beginning: z.ZodType<Beginning> = z.object({
  worker: z.int(),
  accepted,
  key: jwkSchema,
  ticketSecret: z.base64(),
});

/** How something went that may be at fault: without faults it was done. */
export interface Outcome {
  readonly faults: readonly Fault[];
}

const outcome: z.ZodType<Outcome> = z.object({ faults: z.array(fault) });

/** Where a worker listens. */
export interface Place {
  readonly name: string;
  readonly secure: boolean;
}

const place: z.ZodType<Place> = z.object({ name: z.string(), secure: z.boolean() });

export interface UnixPlace {
  readonly path: string;
  readonly mode: number | null;
  readonly group: string | number | null;
  readonly shared: boolean;
  /** Whether the worker starts; otherwise it prepares a reload. */
  readonly starting: boolean;
}

const unixPlace: z.ZodType<UnixPlace> = z.object({
  path: z.string(),
  mode: z.number().nullable(),
  group: z.union([z.string(), z.number()]).nullable(),
  shared: z.boolean(),
  starting: z.boolean(),
});

/** Of a worker, to the primary. */
export const begin: Topic<null, Beginning> = topic("worker/begin", nothing, beginning);
/** It listens. */
export const started: Topic<Place, Outcome> = topic("worker/started", place, outcome);
/** It cannot, and ends. */
export const failed: Topic<Outcome, null> = topic("worker/failed", outcome, nothing);
/** Its event loop turns. */
export const alive: Topic<null, null> = topic("worker/alive", nothing, nothing);
/** Asks where to make a Unix socket. */
export const reserveSocket: Topic<UnixPlace, Outcome & { readonly temporary: string }> = topic(
  "worker/reserve-socket",
  unixPlace,
  z.object({ temporary: z.string(), faults: z.array(fault) }),
);

/** Of the primary, to a worker. Builds everything new and changes nothing. */
export const prepare: Topic<Accepted, Outcome> = topic("reload/prepare", accepted, outcome);
/** Puts in force what was prepared. */
export const commit: Topic<null, Place & { readonly anew: boolean }> = topic(
  "reload/commit",
  nothing,
  z.object({ name: z.string(), secure: z.boolean(), anew: z.boolean() }),
);
/** Drops what was prepared. */
export const abort: Topic<null, null> = topic("reload/abort", nothing, nothing);
/** Takes another certificate. */
export const certificate: Topic<readonly SentFile[], null> = topic("reload/certificate", z.array(file), nothing);
/** Ends, within so many milliseconds. */
export const finish: Topic<number, null> = topic("worker/finish", z.number(), nothing);
