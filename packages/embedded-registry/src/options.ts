import type { Faults } from "./faults/faults.ts";
import type { RecordedRequest } from "./request-record.ts";

/** Everything that {@link startEmbeddedRegistry} can be told. */
export interface EmbeddedRegistryOptions {
  /** Where content is kept; made where it is missing. Default: a fresh temporary directory, removed on close. */
  readonly directory?: string;
  /** The address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /**
   * `absolute`, docker-registry's default: `Location` begins with the scheme and host that the client used, as
   * `X-Forwarded-Proto`, `X-Forwarded-Host` and `Host` tell them. `relative`: it begins with the path.
   */
  readonly locations?: "absolute" | "relative";
  /**
   * How the next page of a catalog or a list of tags is named in `Link`. `last`, docker-registry's: by the last name.
   * `opaque`, as Quay's: by a token in `next_page`, which is good for that listing alone. Default `last`.
   */
  readonly pages?: "last" | "opaque";
  /**
   * What `Location` says of an upload. `distribution`: `/v2/NAME/blobs/uploads/ID?_state=…`. `opaque`, as other registries
   * do: a path beside `/v2/` and a parameter `state`. Default `distribution`.
   */
  readonly uploads?: "distribution" | "opaque";
  /** How the registry is to misbehave from the start. Default not at all. */
  readonly faults?: Faults;
  /** How many requests are remembered. Default 1000. */
  readonly rememberedRequests?: number;
  /** Is told of faults of the registry itself, which the client sees as 500. Default: to standard error. */
  readonly onError?: (error: unknown) => void;
}

/** A registry that runs. */
export interface EmbeddedRegistry {
  /** `http://host:port` */
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  /** The last requests, the oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Takes the place of the faults before, for requests from now on. */
  setFaults(faults: Faults): void;
  /** Cuts every connection and stops; resolves when nothing is written any more. May be called twice. */
  close(): Promise<void>;
}
