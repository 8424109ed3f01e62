import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOldAgent, requestFault } from "../../src/validate/validate-request.ts";
import { type Head, receivedRequest } from "../received-request.ts";

const none: ReadonlySet<string> = new Set();
const identity: ReadonlySet<string> = new Set(["x-forwarded-user", "x-groups"]);

const faultOf = async (head: Head, credentialHeaders = none) =>
  requestFault(await receivedRequest(head), credentialHeaders);

const length = (bytes: number): readonly [string, string] => ["Content-Length", `${bytes}`];
/** So many headers beside the host, short enough not to be too long for Node. */
const beside = (count: number): (readonly [string, string])[] => Array.from({ length: count }, () => ["A", "1"]);
const chunked = ["Transfer-Encoding", "chunked"] as const;

describe("a request is valid", () => {
  test.each<[what: string, head: Head]>([
    ["with nothing but a host", {}],
    ["with a host and a port", { headers: [["Host", "registry.example.com:5043"]] }],
    ["with a body of a length", { method: "PATCH", headers: [length(5)] }],
    ["with a body in chunks", { method: "PUT", headers: [chunked] }],
    ["with a body in CHUNKS", { method: "POST", headers: [["Transfer-Encoding", "CHUNKED"]] }],
    ["with a length of nothing where no body may be", { method: "GET", headers: [length(0)] }],
    [
      "with the type of a form and no body",
      { method: "POST", headers: [["Content-Type", "multipart/form-data"], length(0)] },
    ],
    ["with a body of no type", { method: "POST", headers: [["Content-Type", ""], length(5)] }],
    ["with a body of some type", { method: "PUT", headers: [["Content-Type", "text/plain;charset=UTF-8"], length(5)] }],
    [
      "with a header twice that may stand twice",
      {
        headers: [
          ["Accept", "a"],
          ["Accept", "b"],
        ],
      },
    ],
    ["with as many headers as may be", { headers: beside(127) }],
    ["with a body that it holds back", { method: "PUT", headers: [length(5), ["Expect", "100-Continue"]] }],
    ["with a body of nearly ten petabytes", { method: "PUT", headers: [["Content-Length", "9999999999999999"]] }],
    ["in HTTP/1.0 with a body of a length", { method: "PUT", version: "1.0", headers: [length(5)] }],
  ])("%s", async (_, head) => {
    expect(await faultOf(head)).toBeUndefined();
  });
});

describe("a request is refused", () => {
  test.each<[what: string, head: Head, status: number, message: RegExp]>([
    [
      "with two hosts",
      {
        headers: [
          ["Host", "a"],
          ["Host", "b"],
        ],
      },
      400,
      /duplicate host header/,
    ],
    [
      "with one host written twice",
      {
        headers: [
          ["Host", "a"],
          ["HOST", "a"],
        ],
      },
      400,
      /duplicate host header/,
    ],
    [
      "with two logins",
      {
        headers: [
          ["Authorization", "Basic YTpi"],
          ["authorization", "Basic YTpi"],
        ],
      },
      400,
      /duplicate authorization header/,
    ],
    [
      "with two types",
      {
        headers: [
          ["Content-Type", "a/b"],
          ["Content-Type", "c/d"],
        ],
      },
      400,
      /duplicate content-type header/,
    ],
    ...["If-Modified-Since", "If-Unmodified-Since"].map((name): [string, Head, number, RegExp] => {
      const date = "Sun, 06 Nov 1994 08:49:37 GMT";
      return [
        `with ${name} twice`,
        {
          headers: [
            [name, date],
            [name.toLowerCase(), date],
          ],
        },
        400,
        /^duplicate /,
      ];
    }),
    ["with a host whose port is none", { headers: [["Host", "a:65536"]] }, 400, /Host/],
    ["with a host with a no-break space", { headers: [["Host", "\u00a0a"]] }, 400, /Host/],
    ["with an empty host", { headers: [["Host", ""]] }, 400, /Host/],
    ["with a host that is a list", { headers: [["Host", "a, b"]] }, 400, /Host/],
    ["with a host that has a path", { headers: [["Host", "a/b"]] }, 400, /Host/],
    ["with a host that has a user", { headers: [["Host", "u@a"]] }, 400, /Host/],
    [
      "with another coding than chunks",
      { method: "PUT", headers: [["Transfer-Encoding", "gzip, chunked"]] },
      400,
      /framing/,
    ],
    [
      "with a length beside chunks, where Node's parser is lenient",
      { method: "PUT", lenient: true, headers: [length(5), chunked] },
      400,
      /framing/,
    ],
    ["with chunks in HTTP/1.0", { method: "PUT", version: "1.0", headers: [chunked] }, 400, /framing/],
    ["with a length that might be octal", { method: "PUT", headers: [["Content-Length", "05"]] }, 400, /length/],
    ["with nothing written as two digits", { method: "PUT", headers: [["Content-Length", "00"]] }, 400, /length/],
    ["with a length beyond all", { method: "PUT", headers: [["Content-Length", "10000000000000000"]] }, 400, /length/],
    ["with one header more than may be", { headers: beside(128) }, 431, /too many/],
    ["in HTTP/0.9", { version: "0.9" }, 505, /version/],
    ["in HTTP/2.0", { version: "2.0" }, 505, /version/],
    ["that expects something else", { headers: [["Expect", "200-ok"]] }, 417, /expect/],
    ["that expects more than one thing", { headers: [["Expect", "100-continue, x"]] }, 417, /expect/],
    ["with a body where none may be", { method: "GET", headers: [length(5)] }, 400, /does not allow a body/],
    ...[
      "application/x-www-form-urlencoded",
      "APPLICATION/X-WWW-FORM-URLENCODED; charset=x",
      "multipart/mixed; boundary=x",
      "\u00a0application/x-www-form-urlencoded",
      "application/octet-stream, text/plain",
      "nonsense",
    ].map((type): [string, Head, number, RegExp] => {
      const headers = [["Content-Type", type], type.startsWith("A") ? chunked : length(5)] as const;
      const message = /^(?:APP|multi|app\S+-www)/.test(type) ? /accepts no forms/ : /malformed/;
      return [`with a body of the type ${type}`, { method: "POST", headers }, 415, message];
    }),
    ["with chunks where no body may be", { method: "DELETE", headers: [chunked] }, 400, /does not allow a body/],
  ])("%s", async (_, head, status, message) => {
    expect(await faultOf(head)).toMatchObject({ status, code: "UNSUPPORTED", message: expect.stringMatching(message) });
  });
});

describe("where a backend reads its own headers, a request", () => {
  test("with each of them once is valid", async () => {
    expect(
      await faultOf(
        {
          headers: [
            ["X-Forwarded-User", "alice"],
            ["X-Groups", "a,b"],
          ],
        },
        identity,
      ),
    ).toBeUndefined();
  });

  test("with a duplicate of one of them is refused, in any case", async () => {
    for (const name of ["X-Forwarded-User", "x-forwarded-user"]) {
      const headers = [
        ["X-Forwarded-User", "alice"],
        [name, "alice"],
      ] as const;
      expect(await faultOf({ headers }, identity)).toMatchObject({ status: 400 });
      expect(await faultOf({ headers }, none)).toBeUndefined();
    }
  });

  test.each(["X_Forwarded_User", "X-Forwarded_User", "X.Forwarded.User", "x_forwarded-user", "X!Forwarded~User"])(
    "with the look-alike %s is refused",
    async (name) => {
      expect(await faultOf({ headers: [[name, "alice"]] }, identity)).toMatchObject({ status: 400 });
    },
  );

  test("with a look-alike of the only one is refused", async () => {
    const one = new Set(["x-user-2"]);
    expect(await faultOf({ headers: [["X_User_2", "alice"]] }, one)).toMatchObject({ status: 400 });
    expect(await faultOf({ headers: [["X_User_9", "alice"]] }, one)).toBeUndefined();
  });

  test("with a look-alike of one that has an odd name itself is refused", async () => {
    const odd = new Set(["x_user"]);
    expect(await faultOf({ headers: [["X.User", "alice"]] }, odd)).toMatchObject({ status: 400 });
  });

  test("with other headers of unusual names is valid", async () => {
    expect(
      await faultOf(
        {
          headers: [
            ["X_Forwarded_Users", "a"],
            ["X_Other", "b"],
          ],
        },
        identity,
      ),
    ).toBeUndefined();
  });

  test("is refused for every look-alike with another character in place of a dash", async () => {
    const marks = fc.constantFrom(..."-_.!#$%&'*+^`|~");
    await fc.assert(
      fc.asyncProperty(marks, marks, fc.infiniteStream(fc.boolean()), async (first, second, upper) => {
        const name = [...`x${first}forwarded${second}user`]
          .map((letter) => (upper.next().value ? letter.toUpperCase() : letter))
          .join("");
        const fault = await faultOf({ headers: [[name, "alice"]] }, identity);
        if (first === "-" && second === "-") expect(fault).toBeUndefined();
        else expect(fault).toMatchObject({ status: 400 });
      }),
      { numRuns: 300 },
    );
  });
});

test.each<[agent: string | undefined, old: boolean]>([
  ["docker/1.3.2 go/go1.3.3", true],
  ["docker/1.4.1", true],
  ["docker/1.5.0 go/go1.4", true],
  ["docker/1.5.0-dev", false],
  ["docker/1.5.9-dev", false],
  ["Go 1.1 package http", true],
  ["Go-http-client/1.1", false],
  ["docker/1.6.0 go/go1.4.2", false],
  ["docker/20.10.24", false],
  ["docker/2.3", false],
  ["containerd/docker/1.3", false],
  ["", false],
  [undefined, false],
])("Docker's nginx recipe refuses the user agent %j: %s", (agent, old) => {
  expect(isOldAgent(agent)).toBe(old);
});
