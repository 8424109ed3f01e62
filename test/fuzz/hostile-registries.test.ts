import { describe, test } from "vitest";
import { minuteTimeout, runMinute } from "./minute.ts";

/** Of the first case. Each run is the same; `pnpm fuzz` goes on to others. */
const seed = Number(process.env.FUZZ_SEED ?? 20_001);

describe(`hostile registries, from seed ${seed}`, () => {
  test(
    "end nothing, and mix no responses up over plain HTTP",
    async () => {
      await runMinute("registries", seed, false);
    },
    minuteTimeout,
  );

  test(
    "end nothing, and mix no responses up over TLS",
    async () => {
      await runMinute("registries", seed + 1_000_000, true);
    },
    minuteTimeout,
  );
});
