import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { imageArchive } from "../support/image-archive.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { type CommandResult, runCommand } from "../support/run.ts";
import { documentedFront, gateAt } from "./documented-front.ts";
import { frontAddress, type Layout, recordOf, startLayout } from "./layout.ts";
import { type SignInProduct, type SignInService, signInProducts, startSignInService } from "./sign-in-service.ts";

const alice = { username: "alice", groups: ["staff", "pushers"] };
const carol = { username: "carol", groups: ["staff"] };

describe.each(signInProducts)("the documented nginx before $name,", (product: SignInProduct) => {
  let layout: Layout;
  let service: SignInService;
  let nginx: Nginx;
  let url: string;
  let directory: string;

  beforeAll(async () => {
    layout = await startLayout(
      {
        backends: [
          { type: "sso-header", preset: product.name, trustedProxies: [frontAddress] },
          { type: "htpasswd", file: "htpasswd", groupFile: "groups" },
        ],
      },
      { htpasswd: await passwordFile({ robot: "robot-password" }), groups: "pushers: robot\n" },
    );
    service = await startSignInService(product);
    const server = await documentedFront("nginx", `http://${product.address}`, {
      ...gateAt(layout.frontPort),
      [product.address]: `127.0.0.1:${service.port}`,
    });
    nginx = await startNginx({ http: (port) => server.replace("listen 443 ssl;", `listen 127.0.0.1:${port};`) });
    url = `http://localhost:${nginx.port}`;
    directory = await mkdtemp(join(tmpdir(), "registry-gate-front-"));
    await writeFile(join(directory, "image.tar"), imageArchive("image:1", [{ "etc/version": "1\n" }]));
  });
  afterAll(async () => {
    for (const part of [nginx, service, layout]) await part?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const begin = (repository: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
  const skopeo = (...parameters: string[]): Promise<CommandResult> =>
    runCommand("skopeo", parameters, { environment: { REGISTRY_AUTH_FILE: join(directory, "auth.json") } });

  test("a browser with a session pushes as a member of the group, and pulls", async () => {
    const headers = service.signIn(alice);
    const { blob } = await pushImage({ url, headers }, "team/app", "v1", "a layer");
    expect(await (await fetch(`${url}/v2/team/app/blobs/${blob}`, { headers })).text()).toBe("a layer");
    expect(await recordOf(layout.gate, "team/app")).toMatchObject({ username: "alice", backend: "sso-header" });
    expect((await begin("team/carol", service.signIn(carol))).status).toBe(403);
    expect(await recordOf(layout.gate, "team/carol")).toMatchObject({ username: "carol", decision: "denied" });
  });

  test("skopeo with a password pushes and pulls, and is refused with a wrong one", async () => {
    const remote = `docker://localhost:${nginx.port}/team/skopeo:1`;
    const local = `docker-archive:${join(directory, "image.tar")}`;
    const pushed = await skopeo(
      "copy",
      "--dest-tls-verify=false",
      "--dest-creds",
      "robot:robot-password",
      local,
      remote,
    );
    expect(pushed).toMatchObject({ code: 0 });
    const pulled = await skopeo(
      ...["copy", "--src-tls-verify=false", "--src-creds", "robot:robot-password", remote],
      `dir:${join(directory, "pulled")}`,
    );
    expect(pulled).toMatchObject({ code: 0 });
    expect(await recordOf(layout.gate, "team/skopeo")).toMatchObject({ username: "robot", backend: "htpasswd" });
    const refused = await skopeo("inspect", "--tls-verify=false", "--creds", "robot:wrong", remote);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("authentication required");
  });

  test("a client that has neither is challenged once, by the gate", async () => {
    const challenges = await new Promise<readonly string[]>((resolve, reject) => {
      request(`${url}/v2/`, (response) => {
        response.resume();
        resolve([String(response.statusCode), ...(response.headersDistinct["www-authenticate"] ?? [])]);
      })
        .once("error", reject)
        .end();
    });
    expect(challenges).toEqual(["401", 'Basic realm="Registry realm"']);
  });

  test("a client's own identity headers authenticate nobody, with and without a session", async () => {
    const forged = Object.fromEntries(product.presetHeaders.map((name) => [name, "admin"]));
    expect((await begin("team/forged", forged)).status).toBe(401);
    expect(await recordOf(layout.gate, "team/forged")).not.toHaveProperty("username");
    expect((await begin("team/beside", { ...forged, ...service.signIn(carol) })).status).toBe(403);
    expect(await recordOf(layout.gate, "team/beside")).toMatchObject({ username: "carol" });
    expect((await begin("team/robot", { ...forged, ...basic("robot", "robot-password") })).status).toBe(202);
    expect(await recordOf(layout.gate, "team/robot")).toMatchObject({ username: "robot", backend: "htpasswd" });
  });

  test("whom the service's own rules keep out does not come to the gate", async () => {
    expect((await begin("team/forbidden", service.signInForbidden())).status).toBe(403);
    expect(layout.fromFront()).not.toContain("team/forbidden");
  });

  test.each([
    ["Negotiate", "Negotiate YIIZ8wYGKwYBBQUCoIIZ5zCC"],
    ["Digest", 'Digest username="alice", nonce="n"'],
    ["an empty password", `Basic ${Buffer.from("alice:").toString("base64")}`],
  ])(
    "a session counts beside an Authorization that nobody speaks, and without one it is 401: %s",
    async (_, authorization) => {
      const repository = `team/r${authorization.length}`;
      expect((await begin(repository, { authorization, ...service.signIn(alice) })).status).toBe(202);
      expect(await recordOf(layout.gate, repository)).toMatchObject({ username: "alice", backend: "sso-header" });
      expect((await begin(`${repository}/nobody`, { authorization })).status).toBe(401);
    },
  );

  test("a password of 20 KiB comes to the gate", async () => {
    const { status } = await begin("team/long", basic("robot", "p".repeat(20_000)));
    expect(status).toBe(401);
    expect(await recordOf(layout.gate, "team/long")).toMatchObject({ decision: "unauthenticated" });
  });

  test("passes no password to the login service, and no user name to the registry", () => {
    expect(service.asked.length).toBeGreaterThan(0);
    expect(service.asked.filter(({ authorization }) => authorization !== undefined && authorization !== "")).toEqual(
      [],
    );
    expect(layout.toRegistry()).not.toMatch(/^(?:cookie|authorization|x-forwarded-user|remote-user|x-authentik)/im);
  });
});
