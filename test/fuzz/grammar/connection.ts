import fc from "fast-check";
import type { ConnectionSpec, Ending, RequestSpec, Schedule } from "../case/fuzz-case.ts";
import { properRead } from "./request.ts";

const wholeSchedule: Schedule = { size: 0, pause: 0, cut: null };

const anySchedule: fc.Arbitrary<Schedule> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(wholeSchedule) },
  {
    weight: 3,
    arbitrary: fc.record({
      size: fc.constantFrom(1, 2, 7, 100, 1460, 16_384),
      pause: fc.constantFrom(0, 0, 1, 5),
      cut: fc.constant(null),
    }),
  },
  // After every byte, and mostly where a head is.
  {
    weight: 4,
    arbitrary: fc.record({
      size: fc.constantFrom(0, 0, 0, 50),
      pause: fc.constantFrom(0, 1),
      cut: fc.oneof(fc.nat({ max: 600 }), fc.nat({ max: 600 }), fc.nat({ max: 400_000 })),
    }),
  },
);

const anyEnding = fc.constantFrom<Ending>("wait", "wait", "wait", "wait", "half-close", "close", "reset", "reset");

/** A connection that does anything. */
export function anyConnection(requests: fc.Arbitrary<RequestSpec>): fc.Arbitrary<ConnectionSpec> {
  return fc.record({
    delay: fc.constantFrom(0, 0, 3, 20),
    requests: fc.oneof(
      { weight: 12, arbitrary: fc.array(requests, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.array(properRead, { minLength: 5, maxLength: 30 }) },
      // A row of reads with something at its end.
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.array(properRead, { minLength: 1, maxLength: 3 }), requests)
          .map(([reads, last]) => [...reads, last]),
      },
    ),
    serial: fc.nat({ max: 3 }).map((value) => value === 0),
    schedule: anySchedule,
    reading: fc.constantFrom<ConnectionSpec["reading"]>("all", "all", "all", "all", "slow", "none"),
    ending: anyEnding,
    hold: fc.constantFrom(0, 0, 1, 10, 100, 400),
  });
}

/** A connection of a well-behaved client. */
export function properConnection(requests: fc.Arbitrary<RequestSpec>): fc.Arbitrary<ConnectionSpec> {
  return fc.record({
    delay: fc.constantFrom(0, 0, 3, 20),
    requests: fc.array(requests, { minLength: 1, maxLength: 3 }),
    serial: fc.nat({ max: 3 }).map((value) => value !== 0),
    schedule: fc.constant(wholeSchedule),
    reading: fc.constant<ConnectionSpec["reading"]>("all"),
    ending: fc.constant<Ending>("wait"),
    hold: fc.constant(0),
  });
}
