import { expect, test } from "vitest";
import { firstPush } from "../../src/pages/repositories/view.ts";

test("the line to log in is one for docker alone, whoever it is for", async () => {
  const client = { host: "registry.example.com", scheme: "https", address: "192.0.2.1" } as const;
  const identity = { backend: "users", subject: "1", username: "a;id $(id)", groups: [] };
  const page = String(await firstPush({ client, identity, base: "" }));
  expect(page).toContain("docker login -u &#39;a;id $(id)&#39; registry.example.com");
});
