import { expect, inject } from "vitest";
import { allowOnly } from "./startable.ts";

/** Runs before each test file: what it starts must be known before it is run. */
const { testPath = "" } = expect.getState();
allowOnly(inject("programsOf")[testPath] ?? []);
