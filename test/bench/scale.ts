import type { CertificateFiles } from "../support/certificate.ts";

/** How thorough a run is, and what its parts share. */
export interface Scale {
  readonly rounds: number;
  /** How long each contender is loaded in a round. */
  readonly seconds: number;
  /** The size of a blob, in bytes. */
  readonly blob: number;
  /** The size of the upload whose memory is compared with that of a small one, in bytes. */
  readonly largest: number;
  readonly certificate: CertificateFiles;
}

export const mebibyte: number = 2 ** 20;
const gibibyte = 2 ** 30;

export type Sizes = Omit<Scale, "certificate">;
export const whole: Sizes = { rounds: 5, seconds: 4, blob: gibibyte, largest: 4 * gibibyte };
export const quick: Sizes = { rounds: 3, seconds: 2, blob: gibibyte / 4, largest: gibibyte };
