import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeResponse } from "../src/connect/start-tls.ts";
import { bindResponse, element, extendedResponse, message } from "./ber-message.ts";

const response = extendedResponse(1);

describe("the response to StartTLS", () => {
  it("is taken when it is whole and says yes", () => {
    expect(judgeResponse(response)).toBe(true);
    const withName = message(
      1,
      element(
        0x78,
        element(0x0a, Buffer.from([0])),
        element(0x04),
        element(0x04),
        element(0x8a, Buffer.from("1.3.6.1.4.1.1466.20037")),
      ),
    );
    expect(judgeResponse(withName)).toBe(true);
  });

  it("is waited for until it is whole", () => {
    for (let length = 0; length < response.length; length++) {
      expect(judgeResponse(response.subarray(0, length))).toBe(false);
    }
  });

  it("is refused with a single byte behind it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (surplus) => {
        expect(() => judgeResponse(Buffer.concat([response, surplus]))).toThrow("unencrypted data");
      }),
    );
    const forged = bindResponse(2);
    for (let length = 1; length <= forged.length; length++) {
      const injected = Buffer.concat([response, forged.subarray(0, length)]);
      expect(() => judgeResponse(injected)).toThrow("unencrypted data");
    }
  });

  it.each([
    ["a refusal", extendedResponse(1, 52), "the server declines StartTLS (52)"],
    ["the number of another request", extendedResponse(2), "unexpected type"],
    ["the answer to a bind", bindResponse(1), "unexpected type"],
    ["a notice of disconnection", extendedResponse(0), "unexpected type"],
    ["another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n"), "not an LDAP message"],
    ["a length without end", Buffer.from([0x30, 0x80]), "malformed"],
    ["a length beyond measure", Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), "malformed"],
  ])("is refused when it is %s", (_, bytes, fault) => {
    expect(() => judgeResponse(bytes)).toThrow(fault);
  });

  it("is nothing else than a sound response, whatever comes", () => {
    fc.assert(
      fc.property(fc.nat(response.length - 1), fc.nat(255), (position, byte) => {
        const changed = Buffer.from(response);
        changed[position] = byte;
        fc.pre(!changed.equals(response));
        let taken = false;
        try {
          taken = judgeResponse(changed);
        } catch {}
        expect(taken).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
