import { memoryState } from "@registry-gate/state";
import { describe, expect, test } from "vitest";
import { stateContract } from "./state-contract.ts";

describe("memoryState", () => {
  stateContract(async () => memoryState());

  test("refuses a new entry when it is full, and takes one again when others have expired", async () => {
    const store = memoryState({ maxEntries: 2 });
    await store.set("a", "", 1);
    await store.set("b", "");
    await expect.poll(() => store.get("a")).toBeUndefined();
    await store.set("c", "");
    await expect(store.set("d", "")).rejects.toThrow("the state store is unavailable: it holds 2 entries");
    await store.set("b", "changed");
    expect(await store.get("b")).toBe("changed");
  });
});
