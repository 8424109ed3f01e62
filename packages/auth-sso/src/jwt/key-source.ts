import { createPublicKey, type KeyObject } from "node:crypto";
import type { Logger } from "@registry-gate/auth";
import {
  clientNetwork,
  type FollowedValue,
  followFile,
  InvalidFileError,
  withoutByteOrderMark,
} from "@registry-gate/auth-kit";
import { type CryptoKey, errors } from "jose";
import { maxFileBytes } from "../max-file-bytes.ts";
import { type CachedDocument, cachedDocument, type Freshness, UnavailableError } from "./cached-document.ts";
import { type Document, FetchError } from "./fetch-document.ts";
import { type KeyFault, type KeySet, readKeySet } from "./key-set.ts";

export type Key = CryptoKey | KeyObject;

/** Where the keys of an issuer are found. */
export interface KeySource {
  /**
   * @param client The address of the client whose token names the key.
   * @throws {UnavailableError} when it cannot be found out now.
   */
  find(alg: string, kid: string | undefined, client: string | undefined, signal: AbortSignal): Promise<Key | KeyFault>;
  /** @throws {UnavailableError} when nothing could be found out now. */
  check(signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Notices {
  readonly log: Logger;
  /** Called when keys have changed. */
  readonly onChange: () => void;
}

/** @throws {InvalidOptionsError} when the file holds no key set to begin with. */
export async function keysInFile(path: string, { log, onChange }: Notices): Promise<KeySource> {
  const file: FollowedValue<KeySet> = await followFile({
    path,
    option: ["jwks"],
    parse(content) {
      const keys = readKeySet(withoutByteOrderMark(content).toString("utf8"));
      if (typeof keys === "string") throw new InvalidFileError(keys);
      return keys;
    },
    maxBytes: maxFileBytes,
    log,
    onChange,
  });
  return {
    find: (alg, kid) => file.current().find(alg, kid),
    check: async () => {},
    close: () => file.close(),
  };
}

interface Published {
  readonly text: string;
  readonly keys: KeySet;
}

/**
 * The key set that is published at a URL. A key that is not in it makes it be fetched anew.
 *
 * @param place What the keys are known by in the log.
 * @param locate Finds the URL, each time anew.
 */
export function keysAtUrl(
  place: string,
  locate: (fetch: (url: URL) => Promise<Document>) => Promise<URL>,
  fetch: (url: URL, signal: AbortSignal) => Promise<Document>,
  freshness: Freshness,
  { log, onChange }: Notices,
): KeySource {
  const closing = new AbortController();
  const document: CachedDocument<Published> = cachedDocument(
    async () => {
      const load = (from: URL): Promise<Document> => fetch(from, closing.signal);
      const url = await locate(load);
      const { status, body } = await load(url);
      if (status !== 200) throw new FetchError(`${url.host} answered ${status}`);
      const keys = readKeySet(body);
      if (typeof keys === "string") throw new FetchError(`invalid key set from ${url.host}: ${keys}`);
      return { text: body, keys };
    },
    freshness,
    (reason) => log.warn({ url: place, reason }, "the keys could not be fetched; using the previous ones"),
    ({ text }, previous) => {
      if (previous === undefined || previous.text === text) return;
      log.info({ url: place }, "the issuer has published new keys");
      onChange();
    },
  );
  return {
    async find(alg, kid, _, signal) {
      const known = await document.get(signal);
      const key = await known.keys.find(alg, kid);
      if (key !== "unknown") return key;
      const newer = await document.newerThan(known, signal);
      return newer === known ? key : newer.keys.find(alg, kid);
    },
    check: async (signal) => void (await document.get(signal)),
    close: () => closing.abort(),
  };
}

/** Above the number of keys that any load balancer has at once. */
const MOST_KEYS = 64;
/**
 * How many keys may be requested for within one cool-down, in all and for the clients of one network: whoever makes names up
 * cannot make the gate ask for more, and keeps nobody else's key from being requested for.
 */
const FETCH_LIMITS = { all: 64, network: 8 } as const;
/** A name that stands for itself in a URL. */
const PLAIN_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/** Keys that are published one by one, as PEM, at a URL with `{kid}` in it. */
export function keysByName(
  template: string,
  fetch: (url: URL, signal: AbortSignal) => Promise<Document>,
  freshness: Freshness,
  { log, onChange }: Notices,
): KeySource {
  const closing = new AbortController();
  /** Apart, so that no number of names that are made up can push a key out. */
  const known = new Map<string, CachedDocument<KeyObject | undefined>>();
  const requested = new Map<string, CachedDocument<KeyObject | undefined>>();
  let fetches = { since: Number.NEGATIVE_INFINITY, count: 0, byNetwork: new Map<string, number>() };

  function startFetch(kid: string, client: string | undefined): CachedDocument<KeyObject | undefined> {
    const now = performance.now();
    if (now - fetches.since >= freshness.cooldown) fetches = { since: now, count: 0, byNetwork: new Map() };
    const network = clientNetwork(client);
    const before = fetches.byNetwork.get(network) ?? 0;
    if (fetches.count >= FETCH_LIMITS.all || before >= FETCH_LIMITS.network) {
      throw new UnavailableError("too many unknown keys are requested for");
    }
    fetches.count++;
    fetches.byNetwork.set(network, before + 1);
    const url = new URL(template.replace("{kid}", kid));
    const document = cachedDocument(
      async () => publicKey(url, await fetch(url, closing.signal)),
      freshness,
      (reason) => log.warn({ url: url.href, reason }, "a key could not be fetched; using the previous one"),
      (key, previous) => {
        if (key !== undefined) keep(known, kid, document);
        if (previous !== undefined && (key === undefined || !key.equals(previous))) onChange();
      },
    );
    keep(requested, kid, document);
    return document;
  }

  return {
    async find(_, kid, client, signal) {
      if (kid === undefined || !PLAIN_NAME.test(kid)) return "unknown";
      const document = known.get(kid) ?? requested.get(kid) ?? startFetch(kid, client);
      return (await document.get(signal)) ?? "unknown";
    },
    check: async () => {},
    close: () => closing.abort(),
  };
}

/** Lets the oldest go where there are too many. */
function keep<T>(documents: Map<string, T>, name: string, document: T): void {
  const [oldest] = documents.keys();
  if (!documents.has(name) && documents.size >= MOST_KEYS && oldest !== undefined) documents.delete(oldest);
  documents.set(name, document);
}

function publicKey(url: URL, { status, body }: Document): KeyObject | undefined {
  // A bucket answers 403 for what it does not hold.
  if (status === 404 || status === 403) return undefined;
  if (status !== 200) throw new FetchError(`${url.host} answered ${status}`);
  try {
    if (!body.includes("-----BEGIN PUBLIC KEY-----")) throw new errors.JWKInvalid();
    return createPublicKey(body);
  } catch (error) {
    throw new FetchError(`the response from ${url.host} is not a public key in PEM`, { cause: error });
  }
}
