import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { type DockerRegistry, startDockerRegistry, startDockerRegistryIn } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { startRelay, type Tamper } from "../support/relay.ts";
import { startUpstream } from "../support/upstream.ts";
import { makeServerCertificate } from "./certificates.ts";
import { type Diagnosis, detailsOf, doctor, password, user } from "./doctor.ts";
import { configurationOf, type Scene, startFront, startScene } from "./scene.ts";

let registry: DockerRegistry;

beforeAll(async () => {
  registry = await startDockerRegistry();
});

afterAll(() => registry.close());

async function scene(settings?: Parameters<typeof startScene>[0], before: DockerRegistry = registry): Promise<Scene> {
  const started = await startScene(settings, before);
  onTestFinished(() => started.stack.close());
  return started;
}

describe("a login", () => {
  test("is shown nowhere, whatever a server repeats of it", async () => {
    const server = await startUpstream(({ headers }, response) => {
      const login = headers.authorization ?? "";
      const message = `${login} ${Buffer.from(login.split(" ")[1] ?? "", "base64").toString()}`;
      response.writeHead(login === "" ? 401 : 403, { "WWW-Authenticate": "Basic" });
      response.end(JSON.stringify({ errors: [{ code: "DENIED", message }] }));
    });
    onTestFinished(() => server.close());
    const { code, stdout } = await runGate(["doctor", "--url", server.url, "--user", user], { input: `${password}\n` });
    expect(code).toBe(1);
    expect(stdout).toContain(`DENIED: Basic [the password] ${user}:[the password]`);
  });

  test.each([["basic"], ["bearer"]])("with a wrong password is rejected under a %s challenge", async (challenge) => {
    const { gate } = await scene({ auth: { challenge } });
    const diagnosis = await doctor(["--url", gate.url], "wrong");
    expect(diagnosis).toMatchObject({ code: 1, ids: ["login-rejected"] });
  });

  test("is throttled after a failure too many", async () => {
    const { gate } = await scene({ auth: { throttle: { perUserAndAddress: "1/5m", backoff: "5m..10m" } } });
    await doctor(["--url", gate.url], "wrong");
    await doctor(["--url", gate.url], "wrong again");
    const diagnosis = await doctor(["--url", gate.url]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["throttled"] });
    expect(diagnosis.findings[0]?.seen).toMatch(/Retry-After: \d+/);
  });

  test("fails while the only backend is down", async () => {
    const backend = { type: "ldap", urls: [`ldaps://127.0.0.1:${await freePort()}`], searchBase: "dc=example,dc=com" };
    const { gate } = await scene({ auth: { backends: [backend] } });
    expect(await doctor(["--url", gate.url])).toMatchObject({ code: 1, ids: ["backend-down"] });
  });
});

describe("rules", () => {
  test("that allow nothing to be pushed are named", async () => {
    const { gate } = await scene({
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }],
    });
    expect(await doctor(["--url", gate.url])).toMatchObject({ code: 1, ids: ["no-push-right"] });
  });

  test("that allow to push and not to pull are named", async () => {
    const { gate } = await scene({
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["push"] }],
    });
    const diagnosis = await doctor(["--url", gate.url, "--repository", "team/app"]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["no-pull-right"] });
  });

  test("for anonymous are of no use to docker under a Basic challenge", async () => {
    const pull = { subjects: ["anonymous"], repositories: ["**"], actions: ["pull"] };
    const push = { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] };
    const [basic, auto] = [
      await scene({ auth: { challenge: "basic" }, access: [pull, push] }),
      await scene({ access: [pull, push] }),
    ];
    expect(await doctor(["--url", basic.gate.url])).toMatchObject({ code: 1, ids: ["anonymous-basic"] });
    expect(await doctor(["--url", auto.gate.url])).toMatchObject({ code: 0, ids: [] });
  });
});

describe("a registry", () => {
  test("that is not there is told from a gate that is not there", async () => {
    const { gate } = await scene({ upstream: { url: `http://127.0.0.1:${await freePort()}` } });
    expect(await doctor(["--url", gate.url])).toMatchObject({ code: 1, ids: ["registry-down"] });
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect(await doctor(["--url", nobody])).toMatchObject({ code: 1, ids: ["unreachable"] });
  });

  test("that is read-only is found", async () => {
    const directory = await mkdtemp(join(tmpdir(), "doctor-read-only-"));
    const { address, close } = await startDockerRegistryIn(directory, {}, undefined, { readOnly: true });
    onTestFinished(async () => {
      await close();
      await rm(directory, { recursive: true, force: true });
    });
    const { gate } = await scene({}, { url: `http://${address}`, close });
    expect(await doctor(["--url", gate.url])).toMatchObject({ code: 1, ids: ["read-only"] });
  });

  test("that redirects to a storage which clients do not reach is found", async () => {
    const directory = await mkdtemp(join(tmpdir(), "doctor-redirect-"));
    const redirectTo = `http://127.0.0.1:${await freePort()}/`;
    const { address, close } = await startDockerRegistryIn(directory, {}, undefined, { redirectTo });
    onTestFinished(async () => {
      await close();
      await rm(directory, { recursive: true, force: true });
    });
    const { gate } = await scene({}, { url: `http://${address}`, close });
    const diagnosis = await doctor(["--url", gate.url]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["redirect-unreachable"] });
  });

  test("that can be reached around the gate is found by the image that was pushed", async () => {
    const { gate } = await scene();
    const other = await startDockerRegistry();
    onTestFinished(() => other.close());
    const around = await doctor(["--url", gate.url, "--registry", registry.url]);
    expect(around).toMatchObject({ code: 1, ids: ["around-gate"] });
    expect(around.findings[0]?.seen).toContain("has the image that was pushed through the gate");
    expect(await doctor(["--url", gate.url, "--registry", other.url])).toMatchObject({ code: 0, ids: [] });
  });

  test("is looked for at the usual ports of the gate's host, and nowhere else", async () => {
    const { gate } = await scene();
    const diagnosis = await doctor(["--url", gate.url]);
    expect(detailsOf(diagnosis, "around")).toEqual({ tried: "127.0.0.1:5000, 127.0.0.1:5001" });
  });
});

describe("what lies between", () => {
  /** Through a relay that changes bytes on their way. */
  async function examineThrough(tamper: Tamper): Promise<Diagnosis> {
    const { gate } = await scene();
    const relay = await startRelay(Number(new URL(gate.url).port));
    onTestFinished(() => relay.close());
    relay.tamper(tamper);
    return doctor(["--url", `http://127.0.0.1:${relay.port}`]);
  }

  const downwards =
    (change: (text: string) => string): Tamper =>
    (bytes, direction) =>
      direction === "down" ? Buffer.from(change(bytes.toString("latin1")), "latin1") : undefined;

  test("is found where it responds by HTTP/1.0", async () => {
    const diagnosis = await examineThrough(downwards((text) => text.replaceAll(/^HTTP\/1\.1(?= [2-5])/gm, "HTTP/1.0")));
    expect(diagnosis).toMatchObject({ code: 1, ids: ["http-1.0"] });
  });

  test("is found where it closes each connection", async () => {
    expect(await examineThrough(() => "reset")).toMatchObject({ code: 1, ids: ["no-response"] });
  });

  test("is found where it closes a connection on Expect", async () => {
    const diagnosis = await examineThrough((bytes, direction) =>
      direction === "up" && /^expect: /im.test(bytes.toString("latin1")) ? "reset" : undefined,
    );
    expect(diagnosis).toMatchObject({ code: 0, ids: ["expect-refused"] });
  });

  test.each([
    ["ahead", 90_000],
    ["behind", -90_000],
  ])("does not hide a clock that is %s", async (word, by) => {
    const shift = (date: string): string => new Date(Date.parse(date) + by).toUTCString();
    const diagnosis = await examineThrough(
      downwards((text) => text.replace(/(?<=^date: ).*(?=\r$)/im, (date) => shift(date))),
    );
    expect(diagnosis).toMatchObject({ code: 1, ids: ["clock-skew"] });
    expect(diagnosis.findings[0]?.seen).toMatch(new RegExp(`(?:89|90|91) s ${word}`));
  });
});

describe("tokens", () => {
  test("whose realm cannot be reached are found, and asked for at the gate", async () => {
    const realm = `http://127.0.0.1:${await freePort()}/v2/auth`;
    const { gate } = await scene({ auth: { challenge: "bearer", token: { realm } } });
    const diagnosis = await doctor(["--url", gate.url]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["realm-host"] });
    expect(diagnosis.steps.find(({ step }) => step === "pull")).toMatchObject({ outcome: "ok" });
  });

  test("that live for less than docker uses them are found", async () => {
    const { gate } = await scene({ auth: { challenge: "bearer", token: { ttl: "30s" } } });
    expect(await doctor(["--url", gate.url])).toMatchObject({ code: 1, ids: ["token-times"] });
  });

  test("of another time are found", async () => {
    const { gate } = await scene({ auth: { challenge: "bearer" } });
    const claims = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) - 600 })).toString("base64url");
    const front = await startFront(gate.url, {
      server: `location = /v2/auth { default_type application/json; return 200 '{"token":"e30.${claims}.x"}'; }`,
    });
    onTestFinished(() => front.close());
    const diagnosis = await doctor(["--url", `http://127.0.0.1:${front.port}`]);
    expect(diagnosis.ids[0]).toBe("token-times");
  });
});

test("warns of plain HTTP that is not on the loopback interface, as far as the URL shows", async () => {
  const { gate } = await scene();
  const url = `http://[::ffff:127.0.0.1]:${new URL(gate.url).port}`;
  expect(await doctor(["--url", url])).toMatchObject({ code: 0, ids: ["plain-http"] });
});

describe("from a configuration", () => {
  test("the gate is found and its repository chosen by the rules", async () => {
    const { gate } = await scene({
      access: [{ subjects: [`user:${user}`], repositories: ["team/*/app"], actions: ["*"] }],
    });
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const diagnosis = await doctor(["--config", join(gate.directory, "named.json")]);
    expect(diagnosis).toMatchObject({ code: 0, ids: [] });
    expect(detailsOf(diagnosis, "upload")).toEqual({ repository: "team/registry-gate-doctor/app" });
    expect(diagnosis.steps.map(({ step }) => step)).toContain("ping");
  });

  test("the gate's own certificate is trusted, whatever its name and whoever signed it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "doctor-own-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const own = await makeServerCertificate(directory, "own", { names: "DNS:registry.example.com" });
    const tls = { certificate: own.certificate, key: own.key };
    const { gate } = await scene({ listen: { tls }, auth: { challenge: "bearer" } });
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const file = join(gate.directory, "named.json");
    expect(await doctor(["--config", file])).toMatchObject({ code: 0, ids: [] });
    // Clients have to know its name.
    const port = new URL(gate.url).port;
    const named = await doctor(["--config", file, "--url", `https://localhost:${port}`]);
    expect(named).toMatchObject({ code: 1, ids: ["certificate-name"] });
  });

  test("a gate on a Unix socket is found", async () => {
    const directory = await mkdtemp(join(tmpdir(), "doctor-socket-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const address = `unix:${join(directory, "gate.sock")}`;
    const { gate } = await scene({ listen: { address, trustedProxies: ["unix:"] } });
    const diagnosis = await doctor(["--config", join(gate.directory, "registry-gate.yaml")]);
    expect(diagnosis).toMatchObject({ code: 0, ids: [] });
  });

  test("a rule for anonymous under a Basic challenge is found before anything is pushed", async () => {
    const pull = { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] };
    const { gate } = await scene({ auth: { challenge: "basic" }, access: [pull] });
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const parameters = ["doctor", "--config", join(gate.directory, "named.json"), "--json"];
    const { code, stdout } = await runGate(parameters);
    const { findings }: Diagnosis = JSON.parse(stdout);
    expect({ code, ids: findings.map(({ id }) => id) }).toEqual({ code: 1, ids: ["anonymous-basic"] });
  });

  test("a right password that is refused at the URL was lost on its way", async () => {
    const { gate } = await scene();
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const front = await startFront(gate.url, { location: 'proxy_set_header Authorization "";' });
    onTestFinished(() => front.close());
    const diagnosis = await doctor([
      ...["--config", join(gate.directory, "named.json"), "--url", `http://127.0.0.1:${front.port}`],
    ]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["authorization-lost"] });
  });

  test("a user whom no backend knows is named before the gate is asked", async () => {
    const { gate } = await scene();
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const diagnosis = await doctor(["--config", join(gate.directory, "named.json")], "wrong");
    expect(diagnosis).toMatchObject({ code: 1, ids: ["login-rejected"] });
    expect(diagnosis.findings[0]?.seen).toMatch(/htpasswd/);
  });

  test("without a user only what needs no login is tried", async () => {
    const { gate } = await scene();
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const parameters = ["--config", join(gate.directory, "named.json"), "--json", "--registry", registry.url];
    const { code, stdout } = await runGate(["doctor", ...parameters]);
    expect(code).toBe(0);
    const { findings, steps }: Diagnosis = JSON.parse(stdout);
    expect(findings.map(({ id }) => id)).toEqual(["registry-open"]);
    expect(steps.map(({ step }) => step)).not.toContain("login");
  });

  test("a registry that listens at every address of the machine is found", async () => {
    const open = await startDockerRegistry({ addr: "0.0.0.0:0" });
    onTestFinished(() => open.close());
    const port = /:(\d+)$/.exec(open.url)?.[1];
    const { gate } = await scene({}, { ...open, url: `http://127.0.0.1:${port}` });
    await gate.put("named.json", JSON.stringify(await configurationOf(gate)));
    const diagnosis = await doctor(["--config", join(gate.directory, "named.json")]);
    expect(diagnosis).toMatchObject({ code: 1, ids: ["around-gate"] });
  });

  test("faults are listed as by check", async () => {
    const { gate } = await scene();
    await gate.put("wrong.json", JSON.stringify({ listen: {} }));
    const file = join(gate.directory, "wrong.json");
    const { code, stderr } = await runGate(["doctor", "--config", file, "--user", user], { input: `${password}\n` });
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}: listen.address`);
  });
});
