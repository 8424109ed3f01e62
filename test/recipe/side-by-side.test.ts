import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { nginxRecipe } from "../support/nginx-recipe.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { agents } from "./conversations/agents.ts";
import { forwarded } from "./conversations/forwarded.ts";
import { given } from "./conversations/given.ts";
import { logins } from "./conversations/logins.ts";
import { pulls } from "./conversations/pulls.ts";
import { pushes } from "./conversations/pushes.ts";
import { refused } from "./conversations/refused.ts";
import { uploads } from "./conversations/uploads.ts";
import { converse } from "./exchange.ts";
import type { Front } from "./front.ts";

let registries: readonly DockerRegistry[];
let nginx: Nginx;
let gate: RunningGate;
let fronts: { readonly nginx: Front; readonly gate: Front };

beforeAll(async () => {
  // Of the same kind and with the same content, so that what is done through one front is not seen through the other.
  const [behindNginx, behindGate] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
  registries = [behindNginx, behindGate];
  for (const { url } of registries) {
    for (const tag of given.tags) await pushImage({ url, headers: {} }, given.repository, tag, given.layer);
    await pushImage({ url, headers: {} }, "team/base", "1", "the layer of another image");
  }
  const certificate = await makeCertificate();
  const files = {
    htpasswd: await passwordFile({ testuser: "testpassword", colon: "a:b:c" }),
    "server.crt": await readFile(certificate.certificate, "utf8"),
    "server.key": await readFile(certificate.key, "utf8"),
  };
  const tls = { certificate: "server.crt", key: "server.key" };
  nginx = await startNginx({
    http: (port) => nginxRecipe({ port, registry: new URL(behindNginx.url).host, passwordFile: "htpasswd", tls }),
    files,
  });
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", tls },
      upstream: { url: behindGate.url },
      auth: { realm: "Registry realm", backends: [{ type: "htpasswd", file: "htpasswd" }] },
      // The recipe asks for a login and nothing more.
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
    },
    files,
  });
  const authority = await readFile(certificate.authority, "utf8");
  fronts = {
    nginx: { port: nginx.port, authority },
    gate: { port: Number(new URL(gate.url).port), authority },
  };
});

afterAll(async () => {
  await gate.close();
  await nginx.close();
  for (const registry of registries) await registry.close();
});

describe("the gate responds as nginx with the recipe does", () => {
  test.each([...logins, ...agents, ...pulls, ...uploads, ...pushes, ...forwarded, ...refused])(
    "$name",
    async (conversation) => {
      const [recipe, ours] = await Promise.all([
        converse(fronts.nginx, conversation),
        converse(fronts.gate, conversation),
      ]);
      for (const [index, { method, target, status, differs }] of conversation.steps.entries()) {
        const [theirs, own] = [recipe[index], ours[index]];
        if (theirs === undefined || own === undefined) throw new Error("a step has no response");
        const what = `${index + 1}: ${method} ${target}`;
        // The gate alone names every request.
        const { "x-request-id": requestId, ...headers } = own.headers;
        expect.soft({ what, requestId }).toEqual({ what, requestId: "<uuid>" });
        const response = { ...own, headers };
        expect.soft({ what, status: theirs.status }).toEqual({ what, status });
        const expected = differs === undefined ? theirs : differs.gate(theirs);
        expect.soft({ what, ...response }).toEqual({ what, ...expected });
        // A difference that is none any more is to be taken from the list.
        if (differs !== undefined) expect.soft({ what, ...response }, differs.reason).not.toEqual({ what, ...theirs });
      }
    },
  );
});
