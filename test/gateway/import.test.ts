import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runGate } from "./run-gate.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-import-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (parameters: readonly string[], input = "") => runGate(["import", ...parameters], { directory, input });

/** Imports a text and checks what came of it. */
async function importAndCheck(text: string): Promise<{ yaml: string; notes: string; code: number | null }> {
  const { stdout, stderr } = await run(["-"], text);
  await writeFile(join(directory, "imported.yaml"), stdout);
  const { code } = await runGate(["check", "--config", "imported.yaml"], { directory });
  return { yaml: stdout, notes: stderr, code };
}

describe("registry-gate import", () => {
  test("starts from sso-header and no rules where nginx asks another service", async () => {
    const { yaml, notes, code } = await importAndCheck(
      "server {\n listen 127.0.0.1:80;\n location /v2/ {\n  auth_request /who;\n  proxy_pass http://127.0.0.1:5000;\n }\n}\n",
    );
    expect(notes).toMatch(/^standard input:4: auth_request \/who: .*sso-header/m);
    expect(yaml).toContain("type: sso-header");
    expect(yaml).toContain("access: []");
    expect(code).toBe(0);
  });

  test("starts from sso-jwt and no rules where Apache has mod_auth_openidc, and shows no secret", async () => {
    const { yaml, notes, code } = await importAndCheck(
      [
        "Listen 127.0.0.1:80",
        "OIDCProviderMetadataURL https://idp.example.com/.well-known/openid-configuration",
        "OIDCClientID registry",
        "OIDCClientSecret canary-secret",
        "ProxyPass /v2 http://127.0.0.1:5000/v2",
        "<Location /v2>",
        "AuthType openid-connect",
        "Require valid-user",
        "</Location>",
      ].join("\n"),
    );
    expect(notes).toMatch(/^standard input:7: AuthType openid-connect: .*sso-jwt/m);
    expect(yaml).toContain("issuer: https://idp.example.com");
    expect(yaml).toContain("access: []");
    expect(`${yaml}${notes}`).not.toContain("canary-secret");
    expect(code).toBe(0);
  });

  test("writes the users of docker_auth where it is told, and over no file", async () => {
    const hash = `$2y$05$${"a".repeat(53)}`;
    const text = `users: { alice: { password: "${hash}" } }\nacl: [{ match: { account: alice }, actions: ["*"] }]\n`;
    const { code, stdout } = await run(["-", "--htpasswd", "users", "--upstream", "http://127.0.0.1:5000"], text);
    expect(code).toBe(0);
    expect(stdout).toContain("file: users");
    expect(stdout).not.toContain(hash);
    expect(await readFile(join(directory, "users"), "utf8")).toBe(`alice:${hash}\n`);
    expect((await stat(join(directory, "users"))).mode & 0o777).toBe(0o600);
    expect(await run(["-", "--htpasswd", "users"], text)).toMatchObject({ code: 1, stdout: "" });
    expect((await run(["-"], text)).stdout).toContain(`#   alice:${hash}`);
  });

  test.each([
    ["a block that is not closed", ["-"], "server {\n listen 80;\n", 1, "standard input:1: the block is not closed"],
    ["a section that is not closed", ["-"], "<VirtualHost *:80>\n", 1, "standard input:1: the section virtualhost"],
    ["YAML that is none", ["-"], "users: {\n", 1, "standard input:"],
    ["nothing that it knows", ["-"], "hello\n", 1, "say which it is with --from"],
    ["no registry", ["-"], "server { location / { root html; } }\n", 1, "no server has a location for /v2/"],
    ["nobody who signs in", ["-"], "server {\nlocation / { proxy_pass http://r; } }\n", 1, "nobody has to sign in"],
    ["a file that is not there", ["missing.conf"], "", 1, "ENOENT"],
    ["another kind", ["-", "--from", "traefik"], "", 2, "--from takes nginx, apache, docker_auth"],
  ])("fails for %s, and says so", async (_, parameters, input, code, message) => {
    const ending = await run(parameters, input);
    expect(ending).toMatchObject({ code, stdout: "" });
    expect(ending.stderr).toContain(message);
  });
});
