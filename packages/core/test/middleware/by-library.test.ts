import { describe } from "vitest";
import { reached } from "./servers.ts";

// What the other files test by the direct transport holds for http-proxy-middleware, too.
reached.transport = "library";

describe("by http-proxy-middleware", async () => {
  await import("./framing.test.ts");
  await import("./passed-responses.test.ts");
  await import("./records.test.ts");
  await import("./registry-faults.test.ts");
  await import("./streaming.test.ts");
  await import("./surplus.test.ts");
  await import("./tls-upstream.test.ts");
});
