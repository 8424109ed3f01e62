import { formatFault } from "@registry-gate/auth";
import { expect, test } from "vitest";
import type { Configuration } from "../src/config/configuration.ts";
import { type AuthConfiguration, challengeOf } from "../src/config/sections/auth.ts";
import { riskWarnings } from "../src/warnings/risk-warnings.ts";

const htpasswd = { type: "htpasswd", file: "htpasswd" };
const anonymous = [{ subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] }] as const;
const authenticated = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }] as const;
const denying = [{ effect: "deny", subjects: ["anonymous"], repositories: ["**"], actions: ["*"] }] as const;

test.each<[AuthConfiguration, Configuration["access"], "basic" | "bearer"]>([
  [{ backends: [htpasswd] }, undefined, "basic"],
  [{ backends: [htpasswd] }, authenticated, "basic"],
  [{ backends: [htpasswd] }, anonymous, "bearer"],
  [{ backends: [htpasswd] }, denying, "basic"],
  [{ backends: [{ type: "access-token" }, htpasswd] }, undefined, "bearer"],
  [{ backends: [htpasswd], challenge: "auto" }, anonymous, "bearer"],
  [{ backends: [htpasswd], challenge: "basic" }, anonymous, "basic"],
  [{ backends: [htpasswd], challenge: "bearer" }, undefined, "bearer"],
])("%j with the rules %j asks for %s", (auth, access, challenge) => {
  expect(challengeOf(auth, access)).toBe(challenge);
});

function warningsFor(auth: Omit<AuthConfiguration, "backends">, access?: Configuration["access"]): readonly string[] {
  const configuration: Configuration = {
    listen: { address: { host: "127.0.0.1", port: 5043 } },
    upstream: { url: "http://127.0.0.1:5000" },
    auth: { backends: [htpasswd], ...auth },
    ...(access && { access }),
  };
  return riskWarnings(configuration, undefined).map(formatFault);
}

test("an anonymous rule under a Basic challenge is warned of, with the clients that cannot use it", () => {
  expect(warningsFor({ challenge: "basic" }, anonymous)).toEqual([
    "access[0].subjects: names anonymous, but docker pulls nothing without a login where it is asked for Basic: set auth.challenge to auto",
  ]);
  expect(warningsFor({}, anonymous)).toEqual([]);
  expect(warningsFor({ challenge: "basic" }, denying)).toEqual([]);
});

test("settings of tokens have no effect under a Basic challenge, and are warned of", () => {
  expect(warningsFor({ token: { ttl: 60_000 } })).toEqual([
    "auth.token: has no effect: clients are asked for Basic; set auth.challenge to bearer",
  ]);
  expect(warningsFor({ token: { ttl: 60_000 }, challenge: "bearer" })).toEqual([]);
});
