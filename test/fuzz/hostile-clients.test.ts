import { describe, test } from "vitest";
import { minuteTimeout, runMinute } from "./minute.ts";

/** Of the first case. Each run is the same; `pnpm fuzz` goes on to others. */
const seed = Number(process.env.FUZZ_SEED ?? 10_001);

describe(`hostile clients, from seed ${seed}`, () => {
  test(
    "end nothing, pass nothing and starve nobody over plain HTTP",
    async () => {
      await runMinute("clients", seed, false);
    },
    minuteTimeout,
  );

  test(
    "end nothing, pass nothing and starve nobody over TLS",
    async () => {
      await runMinute("clients", seed + 1_000_000, true);
    },
    minuteTimeout,
  );
});
