import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectRaw, exchangeRaw } from "../../support/raw-client.ts";
import { ordinaryResponse, requestText, type Scene, startScene } from "./scene.ts";

/** What a registry sends beyond the end of a response, which once became the next user's. */

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

const late = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nalice!";

/** Whole responses, and the methods of the requests that they are to. */
const responses: readonly (readonly [what: string, methods: readonly string[], bytes: string])[] = [
  ["HEAD", ["HEAD"], "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"],
  ["204", ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"], "HTTP/1.1 204 No Content\r\n\r\n"],
  ["304", ["GET", "HEAD"], "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n"],
  ["a length", ["GET", "PUT", "POST", "PATCH", "DELETE"], "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
  ["no length to speak of", ["PUT", "POST", "PATCH", "DELETE"], "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"],
  [
    "chunks",
    ["GET", "PUT", "POST", "PATCH", "DELETE"],
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  ],
];

const targets: Readonly<Record<string, string>> = {
  POST: "/v2/alice/app/blobs/uploads/",
  PATCH: "/v2/alice/app/blobs/uploads/1",
};
const manifest = (user: string): string => `/v2/${user}/app/manifests/latest`;

/** What the registry does with alice's requests; bobby's are answered as usual. */
interface Plan {
  readonly response: string;
  /** Sent in the same write as the response. */
  readonly tail: string;
}

/** A registry that follows the plan, and knows what it did. */
interface Planned {
  /** Whether a request came on a connection after bytes of {@link late} were sent on it. */
  reused(): boolean;
  /** Sends something unasked on the connection of alice's latest request. */
  follow(bytes: string): void;
}

function follow({ response, tail }: Plan): Planned {
  const odd = new Set<Socket>();
  let latest: Socket | undefined;
  let reused = false;
  scene.respond = (request) => {
    const { socket, body, target } = request;
    if (odd.has(socket)) reused = true;
    if (!target.startsWith("/v2/alice/")) {
      ordinaryResponse(request);
      return;
    }
    latest = socket;
    void body.then(() => {
      if (tail !== "") odd.add(socket);
      socket.write(response + tail);
    });
  };
  return {
    reused: () => reused,
    follow(bytes) {
      if (latest === undefined || latest.destroyed) return;
      odd.add(latest);
      latest.write(bytes);
    },
  };
}

function textOf(user: "alice" | "bobby", method: string): string {
  const target = user === "alice" ? (targets[method] ?? manifest(user)) : manifest(user);
  const length = method === "PUT" || method === "POST" || method === "PATCH" ? ["Content-Length: 0"] : [];
  return requestText(user, method, target, ...length);
}

const bobbys = { status: 200, body: manifest("bobby") };
const tails: readonly (readonly [what: string, bytes: string])[] = [
  ["a response", late],
  ["a body", "alice!"],
];
const cases = responses.flatMap(([what, methods, response]) =>
  methods.flatMap((method) =>
    tails.flatMap(([tailName, tail]) =>
      ["GET", "PUT"].map((next) => ({ what, method, response, tailName, tail, next })),
    ),
  ),
);

describe("discards bytes beyond a response together with their connection", () => {
  test.each(cases)("$tailName in the same write as the response to $method with $what, then $next", async (one) => {
    const registry = follow({ response: one.response, tail: one.tail });
    await exchangeRaw(scene.gate.url, textOf("alice", one.method));
    const [second] = await exchangeRaw(scene.gate.url, textOf("bobby", one.next));
    expect(second).toMatchObject(bobbys);
    expect(registry.reused()).toBe(false);
    expect(scene.gate.faults()).toEqual([]);
  });

  test.each(cases)("$tailName 5 and 50 ms after the response to $method with $what, then $next", async (one) => {
    for (const wait of [5, 50]) {
      const registry = follow({ response: one.response, tail: "" });
      const [first] = await exchangeRaw(scene.gate.url, textOf("alice", one.method));
      expect(first?.body ?? "").not.toContain("alice!");
      await delay(wait);
      registry.follow(one.tail);
      await delay(20);
      const [second] = await exchangeRaw(scene.gate.url, textOf("bobby", one.next));
      expect(second).toMatchObject(bobbys);
      expect(registry.reused()).toBe(false);
    }
    expect(scene.gate.faults()).toEqual([]);
  });

  /** The gate finds both at once when it looks next, so it can know that the connection is not silent. */
  test.each(cases)(
    "$tailName after the response to $method with $what, and $next before the gate looked",
    async (one) => {
      const bobby = await connectRaw(scene.gate.url);
      try {
        for (const first of ["request", "bytes"]) {
          const registry = follow({ response: one.response, tail: "" });
          await exchangeRaw(scene.gate.url, textOf("alice", one.method));
          await delay(20);
          process.kill(scene.gate.pid, "SIGSTOP");
          if (first === "request") bobby.write(textOf("bobby", one.next));
          registry.follow(one.tail);
          if (first === "bytes") bobby.write(textOf("bobby", one.next));
          await delay(5);
          process.kill(scene.gate.pid, "SIGCONT");
          const answers = await bobby.responses(first === "request" ? 1 : 2);
          expect(answers.at(-1)).toMatchObject(bobbys);
          expect(registry.reused()).toBe(false);
        }
        expect(scene.gate.faults()).toEqual([]);
      } finally {
        process.kill(scene.gate.pid, "SIGCONT");
        bobby.socket.destroy();
      }
    },
  );
});
