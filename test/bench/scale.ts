import type { CertificateFiles } from "../support/certificate.ts";

/** How thorough a run is, and what its parts share. */
export interface Scale extends Sizes {
  readonly certificate: CertificateFiles;
  /** Says what is being done, in a few words. */
  readonly progress: (text: string) => void;
  /** Whether a run of limited time is behind: then one round has to do. */
  readonly isLate?: () => boolean;
}

/** How thorough a run is. */
export interface Sizes {
  /** Whether all parts together have to be done within {@link quickSeconds}: a few seconds each. */
  readonly quick: boolean;
  readonly rounds: number;
  /** How long each contender is loaded in a round. Need not be whole. */
  readonly seconds: number;
  /** How long each is loaded before anything is counted: Node compiles what is used often only after a while. */
  readonly warmUp: number;
  /** How many connections ask at the same time, one after the other. */
  readonly connections: readonly number[];
  /** The size of a blob, in bytes. */
  readonly blob: number;
  /** The size of the body whose memory is compared with that of a small one, in bytes. */
  readonly largest: number;
}

export const mebibyte: number = 2 ** 20;
const gibibyte = 2 ** 30;

export const whole: Sizes = {
  quick: false,
  rounds: 5,
  seconds: 3,
  warmUp: 3,
  connections: [16, 64, 256],
  blob: gibibyte,
  largest: 4 * gibibyte,
};

/** What a quick run of all parts may take. */
export const quickSeconds = 120;

export const quick: Sizes = {
  quick: true,
  rounds: 3,
  seconds: 0.3,
  warmUp: 0.5,
  connections: [16],
  blob: 128 * mebibyte,
  largest: 256 * mebibyte,
};
