import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { imageId, logIn } from "../docker/docker-user.ts";
import { startedIndirectly } from "../programs/startable.ts";
import { closingStack } from "../support/closing-stack.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { type Dockerd, startDockerd } from "../support/dockerd.ts";
import { freePort } from "../support/free-port.ts";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { importBaseImages } from "./base-images.ts";
import { type Compose, copyCompose } from "./compose.ts";

startedIndirectly("distribution");

const workspace = resolve(import.meta.dirname, "../..");
const image = "registry-gate:local";
/** What docs/deploy-container.md states of what the image adds to its base, in bytes. */
const statedSize = 20_000_000;
/** Debian's archives and the image are made only once, but then take their time. */
const longest = 1_200_000;

const { keep, close } = closingStack();
let daemon: Dockerd;
let compose: Compose;
let port: number;

beforeAll(async () => {
  daemon = await keep(startDockerd({ storage: "automatic" }));
  await importBaseImages(daemon.docker);
  const registry = (await run("npm", ["config", "get", "registry"])).trim();
  const built = await daemon.docker([
    ...["build", "--network=host", "--file", join(workspace, "apps/gateway/deploy/Dockerfile"), "--tag", image],
    ...["--build-arg", `npm_config_registry=${registry}`, "--build-arg", "REVISION=0123abc", workspace],
  ]);
  if (built.code !== 0) throw new Error(`docker build: ${built.stdout}${built.stderr}`);
  port = await freePort();
  compose = await keep(copyCompose(daemon, port));
}, longest);

afterAll(() => close(), longest);

/** Runs docker, and resolves to its output. */
async function docker(...parameters: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(parameters);
  if (code !== 0) throw new Error(`docker ${parameters[0]}: ${stderr}`);
  return stdout.trim();
}

/** Pushes a small image as a user, and pulls it again by another daemon's eyes: without what was pushed. */
async function pushAndPull(host: string, username: string, password: string): Promise<void> {
  const user = await daemon.newUser();
  expect(await logIn(user, host, username, password)).toMatchObject({ code: 0 });
  const reference = `${host}/team/app:1`;
  await daemon.load(reference, [{ "etc/version": "1\n" }]);
  const pushed = await imageId(user, reference);
  expect(await user(["push", reference])).toMatchObject({ code: 0 });
  expect(await user(["image", "rm", reference])).toMatchObject({ code: 0 });
  expect(await user(["pull", reference])).toMatchObject({ code: 0 });
  expect(await imageId(user, reference)).toBe(pushed);
  await user(["image", "rm", reference]);
}

describe("the image", () => {
  test("runs as a user that is not root, by number, and says what it is", async () => {
    const [inspected] = JSON.parse(await docker("image", "inspect", image));
    expect(inspected.Config).toMatchObject({
      User: "65532:65532",
      Entrypoint: ["registry-gate"],
      Healthcheck: { Test: ["CMD", "registry-gate", "health", "--config", "/etc/registry-gate/registry-gate.yaml"] },
      Labels: {
        "org.opencontainers.image.title": "registry-gate",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": "0123abc",
      },
    });
    expect(await docker("run", "--rm", "--network=none", image, "--version")).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("adds no more to its base than the guide states", async () => {
    const sizes = await Promise.all(
      [image, "node:26-slim"].map((name) => docker("image", "inspect", "--format", "{{.Size}}", name)),
    );
    const [whole = 0, base = 0] = sizes.map(Number);
    expect(whole - base).toBeLessThan(statedSize);
  });

  test("holds what runs, and neither package managers, caches, tests, sources, secrets nor setuid programs", async () => {
    const container = await docker("create", image);
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-image-"));
    onTestFinished(async () => {
      await docker("rm", container);
      await rm(directory, { recursive: true, force: true });
    });
    await docker("export", "--output", join(directory, "image.tar"), container);
    const listing = (await run("tar", ["-tvf", join(directory, "image.tar")])).trim().split("\n");
    const entries = listing.map((line) => {
      const [mode = "", , , , , path = ""] = line.split(/\s+/);
      return { mode, path };
    });
    const own = entries.filter(({ path }) => path.startsWith("usr/lib/registry-gate/"));
    expect(own.map(({ path }) => path)).toContain("usr/lib/registry-gate/command/registry-gate.js");
    expect(own.map(({ path }) => path)).toContain("usr/lib/registry-gate/LICENSE");
    const unwanted = [
      ...entries.filter(({ mode }) => mode.startsWith("-") && /s/i.test(mode)),
      ...entries.filter(({ path }) =>
        /^(usr\/local\/(bin|lib\/node_modules)\/(npm|npx|pnpm|yarn|corepack)|root\/\.(npm|cache|config|local))/.test(
          path,
        ),
      ),
      ...entries.filter(({ path }) => /(^|\/)(_cacache|\.npm|\.pnpm-store|\.npmrc|\.env)(\/|$)/.test(path)),
      ...own.filter(({ path }) => /\.(map|ts|mts|cts|tsbuildinfo|key|pem)$|\/(test|tests|__tests__)\/$/.test(path)),
      ...own.filter(({ path }) => /\/(typescript|vitest|knip|fast-check|auth-testkit|@biomejs)\//.test(path)),
      // Nothing that the user could change, outside of the state.
      ...own.filter(({ mode }) => mode.startsWith("-") && mode[8] === "w"),
    ];
    expect(unwanted).toEqual([]);
  });

  test("takes a push with nothing but its state writable and without capabilities, is healthy, and ends at SIGTERM", async () => {
    const registry = await startDockerRegistry();
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-configuration-"));
    await chmod(directory, 0o755);
    const [gatePort, adminPort] = [await freePort(), await freePort()];
    const configuration = {
      listen: { address: `127.0.0.1:${gatePort}` },
      admin: { address: `127.0.0.1:${adminPort}`, drainDelay: "0s" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      state: { file: "/var/lib/registry-gate/state.db" },
    };
    await writeFile(join(directory, "registry-gate.yaml"), JSON.stringify(configuration));
    await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "alicepassword" }));
    const container = await docker(
      ...["run", "--detach", "--network=host", "--read-only", "--cap-drop=ALL", "--user=65532:65532"],
      ...["--security-opt=no-new-privileges", "--health-interval=1s"],
      ...[
        "--volume",
        `${directory}:/etc/registry-gate:ro`,
        "--volume",
        "registry-gate-state:/var/lib/registry-gate",
        image,
      ],
    );
    const state = (format: string): Promise<string> => docker("inspect", "--format", `{{.State.${format}}}`, container);
    onTestFinished(async () => {
      await docker("rm", "--force", container);
      await registry.close();
      await rm(directory, { recursive: true, force: true });
    });
    await expect.poll(() => state("Health.Status")).toBe("healthy");
    await pushAndPull(`127.0.0.1:${gatePort}`, "alice", "alicepassword");
    const [, ...processes] = (await docker("top", container, "-o", "pid,uid,comm")).split("\n");
    // The gate, and at times a check of its health.
    expect(new Set(processes.map((line) => line.trim().split(/\s+/)[1]))).toEqual(new Set(["65532"]));
    await docker("stop", "--time=60", container);
    expect(await state("ExitCode")).toBe("0");
  });
});

const variants = {
  alone: ["compose.yaml"],
  production: ["compose.yaml", "compose.production.yaml"],
  ldap: ["compose.yaml", "compose.ldap.yaml"],
  replicas: ["compose.yaml", "compose.replicas.yaml"],
} as const;

/** What is read of `docker compose config`. */
interface Configuration {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly networks: Readonly<Record<string, { ipam?: { config?: readonly { subnet: string }[] } }>>;
}

describe("the compose files", () => {
  const down = async (files: readonly string[]): Promise<void> => {
    await compose.compose(files, ["down", "--volumes", "--timeout", "60"]);
  };
  const up = async (files: readonly string[]): Promise<void> => {
    const started = await compose.compose(files, ["up", "--detach", "--wait", "--no-build"]);
    if (started.code === 0) return;
    const { stdout } = await compose.compose(files, ["logs"]);
    throw new Error(`${started.stderr}${stdout}`);
  };
  let running: readonly string[] = variants.alone;
  afterEach(() => down(running), longest);

  const password = async (files: readonly string[]): Promise<string> => {
    const { stdout } = await compose.compose(files, ["logs", "--no-log-prefix", "password"]);
    const [, found = ""] = /^user testuser, password (\S+)$/m.exec(stdout) ?? [];
    return found;
  };

  test("are all there is", async () => {
    const files = (await readdir(compose.directory)).filter((name) => name.endsWith(".yaml")).sort();
    expect(files).toEqual([...new Set(Object.values(variants).flat())].sort());
  });

  test.each(Object.entries(variants))(
    "of the variant %s pin every image and take every privilege away",
    async (_, files) => {
      const { code, stdout, stderr } = await compose.compose(files, ["--profile", "*", "config", "--format", "json"]);
      expect([code, stderr]).toEqual([0, ""]);
      const { services, networks }: Configuration = JSON.parse(stdout);
      for (const [name, service] of Object.entries(services)) {
        expect({ name, image: service.image }).toMatchObject({ image: expect.stringMatching(/:(?!latest)[\w.-]+$/) });
        expect({ name, ...service }).toMatchObject({
          read_only: true,
          cap_drop: ["ALL"],
          security_opt: ["no-new-privileges:true"],
        });
      }
      // Docker gives any of its own pools to the next network, so a fixed subnet there fails sooner or later.
      const subnets = Object.values(networks).flatMap(({ ipam }) => (ipam?.config ?? []).map(({ subnet }) => subnet));
      expect(subnets.filter((subnet) => /^(172\.(1[7-9]|2\d|3[01])|192\.168)\./.test(subnet))).toEqual([]);
    },
  );

  test("start a gate and a registry by one command, with a user who can push, and keep both over a restart", {
    timeout: longest,
  }, async () => {
    const files = variants.alone;
    running = files;
    await up(files);
    const host = `127.0.0.1:${port}`;
    const found = await password(files);
    await pushAndPull(host, "testuser", found);
    const added = await compose.compose(files, ["run", "--rm", "--no-TTY", "passwd", "alice"], "alicepassword\n");
    expect(added).toMatchObject({ code: 0 });
    await compose.compose(files, ["down", "--timeout", "60"]);
    await up(files);
    const user = await daemon.newUser();
    await expect.poll(async () => (await logIn(user, host, "alice", "alicepassword")).code).toBe(0);
    expect(await user(["pull", `${host}/team/app:1`])).toMatchObject({ code: 0 });
    // Only pushers push.
    expect((await user(["push", `${host}/team/app:1`])).code).not.toBe(0);
  });

  test("take certificate, users and groups from secrets in production", { timeout: longest }, async () => {
    const files = variants.production;
    running = files;
    const secret = (name: string): string => join(compose.directory, "secrets", name);
    await run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", "/CN=registry.example.com"],
      ...["-keyout", secret("domain.key"), "-out", secret("domain.crt")],
    ]);
    await writeFile(secret("htpasswd"), await passwordFile({ bob: "bobpassword" }));
    await writeFile(secret("groups"), "pushers: bob\n");
    for (const name of ["domain.crt", "domain.key", "htpasswd", "groups"]) await chmod(secret(name), 0o444);
    await up(files);
    await pushAndPull(`127.0.0.1:${port}`, "bob", "bobpassword");
  });

  test("let users of a directory in", { timeout: longest }, async () => {
    const files = variants.ldap;
    running = files;
    await writeFile(join(compose.directory, "secrets/ldap-password"), "the gate's own", { mode: 0o444 });
    const context = join(compose.directory, "directory");
    await docker("build", "--network=host", "--tag", "registry-gate-directory:local", context);
    await up(files);
    await pushAndPull(`127.0.0.1:${port}`, "testuser", "testpassword");
    const reader = await daemon.newUser();
    expect((await logIn(reader, `127.0.0.1:${port}`, "reader", "wrong")).code).not.toBe(0);
  });

  test("put two replicas behind one address, which know the client and share what they learn", {
    timeout: longest,
  }, async () => {
    const files = variants.replicas;
    running = files;
    await up(files);
    await pushAndPull(`127.0.0.1:${port}`, "testuser", await password(files));
    // More wrong passwords than one user may try from one address, whichever replica they come to.
    const user = await daemon.newUser();
    const messages: string[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      messages.push((await logIn(user, `127.0.0.1:${port}`, "testuser", "wrong")).stderr);
    }
    expect(messages.at(-1)).toMatch(/429|too many/i);
    const { stdout } = await compose.compose(files, ["logs", "--no-color", "gate"]);
    const requests = stdout.split("\n").filter((line) => line.includes('"event":"request"'));
    expect(new Set(requests.map((line) => line.split(/\s/, 1)[0])).size).toBe(2);
    // The network between front and gates, where nobody but the front is.
    expect(requests.filter((line) => line.includes('"client":"172.16.43.'))).toEqual([]);
  });
});
