import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { keptCases } from "./run/kept-case.ts";
import { type StageKeeper, stageKeeper } from "./run/stage-keeper.ts";

/** Cases that the fuzzer found once. */

const kept = [...(await keptCases())];
/** At the same time, because some depend on a moment. */
const copies = 8;

let keepers: { readonly plain: StageKeeper; readonly tls: StageKeeper };

beforeAll(async () => {
  keepers = { plain: stageKeeper(), tls: stageKeeper(await makeCertificate()) };
});

afterAll(async () => {
  await keepers.plain.renew();
  await keepers.tls.renew();
});

describe("the gate keeps its promises in a case that once showed a fault", () => {
  test.each(kept)("%s", async (_, { fuzzCase, tls, showed }) => {
    const stage = await (tls ? keepers.tls : keepers.plain).stage();
    const { violations } = await stage.run(Array.from({ length: copies }, () => fuzzCase));
    expect(violations, showed).toEqual([]);
  });
});
