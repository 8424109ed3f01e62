import type { AccessRule, CacheOptions, CorsOptions, LimitOptions, ThrottleOptions } from "@registry-gate/core";

/** A configuration that has been read: durations in milliseconds, paths absolute, environment variables expanded. */
export interface Configuration {
  readonly listen: ListenConfiguration;
  readonly upstream: {
    readonly url: string;
    readonly readTimeout?: number;
    readonly connectTimeout?: number;
    readonly maxConnections?: number;
    /** A PEM file. */
    readonly ca?: string;
    /** The gate's own login at the registry. */
    readonly credentials?: CredentialsConfiguration;
  };
  readonly auth: {
    readonly realm?: string;
    readonly challenge?: "basic";
    readonly backends: readonly BackendConfiguration[];
    readonly cache?: CacheOptions | false;
    readonly throttle?: Omit<ThrottleOptions, "store"> | false;
  };
  readonly access?: readonly AccessRule[];
  readonly limits?: LimitOptions & { readonly connectionsPerAddress?: number };
  readonly log?: {
    readonly level?: LogLevel;
    /** Whether the name of a failed login is logged. */
    readonly attemptedNames?: boolean;
  };
}

/** For Basic, or for Bearer; the secret is the only line of a file. */
export type CredentialsConfiguration =
  | { readonly username: string; readonly passwordFile: string }
  | { readonly bearerFile: string };

export interface ListenConfiguration {
  readonly address: ListenAddress;
  /** Of the file of a Unix socket. */
  readonly socketMode?: number;
  /** A name or a number. */
  readonly socketGroup?: string | number;
  /** Whether another process may listen on the same address, and takes over before this one ends. */
  readonly shared?: boolean;
  readonly tls?: TlsConfiguration;
  readonly trustedProxies?: readonly string[];
  /** Pages of other origins that may use the registry. */
  readonly cors?: CorsOptions;
  /** Where load balancers ask whether the gate is there. */
  readonly healthPath?: string;
  /** How long requests that have begun may take to finish when the gate stops. */
  readonly drainTimeout?: number;
  readonly headersTimeout?: number;
  readonly maxConnections?: number;
}

export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socket: string }
  /** A socket that systemd passes, by its name; `undefined`: the only one. */
  | { readonly inherited: string | undefined };

export interface TlsConfiguration {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** A PEM file with the certificate authorities of clients. */
  readonly clientCa?: string;
  /** `optional` where there is a `clientCa`, or else `none`. */
  readonly clientAuth?: ClientAuth;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** A cipher string of OpenSSL, in place of the gate's own. */
  readonly ciphers?: string;
}

/** Whether clients are asked for a certificate, and whether the handshake fails without a valid one. */
export type ClientAuth = "none" | "optional" | "required";

/** The options of a backend stand beside its type; its plugin judges them. */
export interface BackendConfiguration {
  /** A built-in backend, or the name of a package. */
  readonly type: string;
  readonly id?: string;
  readonly [option: string]: unknown;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
