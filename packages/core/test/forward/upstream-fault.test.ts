import { expect, test } from "vitest";
import { reasonOf } from "../../src/forward/upstream-fault.ts";

const failed = (message: string, more: object): Error => Object.assign(new Error(message), more);

test.each<[error: Error, reason: string]>([
  [failed("connect ECONNREFUSED 10.0.0.5:5000", { code: "ECONNREFUSED", syscall: "connect" }), "connect ECONNREFUSED"],
  [failed("getaddrinfo ENOTFOUND registry", { code: "ENOTFOUND", syscall: "getaddrinfo" }), "getaddrinfo ENOTFOUND"],
  [
    failed("Host: registry. is not in the cert's altnames", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ],
  [failed("", { code: "ECONNREFUSED" }), "ECONNREFUSED"],
  [failed("socket hang up", { code: "ECONNRESET" }), "socket hang up"],
  [failed("no data for 900000 ms", {}), "no data for 900000 ms"],
])("%s is reported as %s, without the registry's name and address", (error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});
