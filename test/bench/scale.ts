import type { CertificateFiles } from "../support/certificate.ts";
import type { Sharing } from "./shared-gate.ts";

/** How thorough a run is, and what its parts share. */
export interface Scale extends Sizes {
  readonly certificate: CertificateFiles;
  /** Says what is being done, in a few words. */
  readonly progress: (text: string) => void;
  /** Whether it is a quick run of all parts, which leaves out what needs long. */
  readonly leavesOut: boolean;
  readonly shared: Sharing;
}

/** How thorough a run is. */
export interface Sizes {
  /** Whether all parts together have to be done within {@link quickSeconds}: a few seconds each. */
  readonly quick: boolean;
  readonly rounds: number;
  /** How long each contender is loaded in a round. Need not be whole. */
  readonly seconds: number;
  /** How long what is not warmed up by so many requests is loaded before anything is counted; a gate is at most twice as long. */
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
  seconds: 1.8,
  warmUp: 5,
  connections: [16, 64, 256],
  blob: gibibyte,
  largest: 4 * gibibyte,
};

/** What a quick run of all parts may take. */
export const quickSeconds = 120;
/** What a step of a quick run takes with one round, those that are left out included. */
const leastStepSeconds = 2.5;

/** Whether a quick run is behind, so that one round has to do for the next step. */
export function isLate(elapsedSeconds: number, stepsLeft: number): boolean {
  return elapsedSeconds + stepsLeft * leastStepSeconds > quickSeconds;
}

export const quick: Sizes = {
  quick: true,
  rounds: 3,
  seconds: 0.3,
  warmUp: 4,
  connections: [16],
  blob: 128 * mebibyte,
  largest: 256 * mebibyte,
};
