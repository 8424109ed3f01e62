import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { startDockerd } from "../../../test/support/dockerd.ts";
import { imageArchive, incompressible } from "../../../test/support/image-archive.ts";
import { run } from "../../../test/support/run.ts";
import { newSkopeoUser } from "../../../test/support/skopeo.ts";
import { passwords, type Stage, setStage } from "./stage.ts";

let portal: Stage;
let directory: string;
/** The authority of the portal's certificate. */
let authority: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-portal-client-"));
  const files = await makeCertificate(directory);
  authority = files.authority;
  const [certificate, key] = await Promise.all([readFile(files.certificate, "utf8"), readFile(files.key, "utf8")]);
  portal = await setStage({ tls: { certificate, key } });
});
afterAll(async () => {
  await portal?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** The real curl with a jar for cookies. */
async function newCurl(): Promise<(path: string, ...parameters: string[]) => Promise<string>> {
  const home = await mkdtemp(join(directory, "curl-"));
  const jar = join(home, "jar");
  return (path, ...parameters) =>
    run("curl", [
      "--silent",
      "--show-error",
      "--cacert",
      authority,
      "-b",
      jar,
      "-c",
      jar,
      ...parameters,
      portal.url + path,
    ]);
}

type Curl = Awaited<ReturnType<typeof newCurl>>;
const status = ["--output", "/dev/null", "--write-out", "%{http_code}"];

async function tokenAt(curl: Curl, path: string): Promise<string> {
  return /name="token" value="([^"]+)"/.exec(await curl(path))?.[1] ?? "";
}

/** Fills in the login form, and responds with the head of what comes. */
async function signIn(curl: Curl, username: string, password: string): Promise<string> {
  const fields = { token: await tokenAt(curl, "/login"), username, password };
  const data = Object.entries(fields).flatMap(([name, value]) => ["--data-urlencode", `${name}=${value}`]);
  return curl("/login", "--include", ...data);
}

const cookieIn = (head: string): string => /^set-cookie: (.*)$/im.exec(head)?.[1]?.trim() ?? "";

describe("the cookie of a session", () => {
  test("is one that no script reads, no other host gets, and no foreign page's form brings along", async () => {
    const curl = await newCurl();
    const [pair, ...attributes] = cookieIn(await curl("/login", "--include")).split("; ");
    expect(pair).toMatch(/^__Host-portal=/);
    expect(attributes).toEqual(expect.arrayContaining(["Path=/", "HttpOnly", "Secure", "SameSite=Lax"]));
    expect(attributes.join()).not.toMatch(/domain/i);
  });

  test("is another after signing in: who foisted one on the browser before has nothing of it", async () => {
    const curl = await newCurl();
    const before = cookieIn(await curl("/login", "--include")).split(";")[0] ?? "";
    const after = cookieIn(await signIn(curl, "alice", passwords.alice)).split(";")[0] ?? "";
    expect(after).toMatch(/^__Host-portal=/);
    expect(after).not.toBe(before);
    const stranger = await newCurl();
    expect(await stranger("/v2/team/app/tags/list", ...status, "--cookie", before)).toBe("401");
    expect(await stranger("/v2/team/app/tags/list", ...status, "--cookie", after)).toBe("200");
  });

  test("is not set for docker clients, who have none", async () => {
    const curl = await newCurl();
    const head = await curl("/v2/", "--include", "--user", `alice:${passwords.alice}`);
    expect(head).toContain(" 200 ");
    expect(cookieIn(head)).toBe("");
  });
});

describe("a form", () => {
  test("counts with the token of its own session alone", async () => {
    const curl = await newCurl();
    const login = ["--data-urlencode", "username=alice", "--data-urlencode", `password=${passwords.alice}`];
    expect(await curl("/login", ...status, ...login)).toBe("403");
    const foreign = await tokenAt(await newCurl(), "/login");
    await tokenAt(curl, "/login");
    for (const token of [foreign, "", "x"]) {
      expect(await curl("/login", ...status, ...login, "--data-urlencode", `token=${token}`)).toBe("403");
    }
    expect(await curl("/", ...status)).toBe("303");
    expect(await signIn(curl, "alice", passwords.alice)).toContain(" 303 ");
    expect(await curl("/", ...status)).toBe("200");
    expect(await curl("/logout", ...status, "--request", "POST")).toBe("403");
    expect(await curl("/logout", ...status, "--data-urlencode", `token=${await tokenAt(curl, "/")}`)).toBe("303");
    expect(await curl("/", ...status)).toBe("303");
  });

  test("shows text as text", async () => {
    await portal.setUsers({ ...passwords, "<i>eve</i>&\"'": "eve" });
    onTestFinished(() => portal.setUsers(passwords));
    const curl = await newCurl();
    expect(await signIn(curl, "<i>eve</i>&\"'", "eve")).toContain("Location: /\r\n");
    const html = await curl("/");
    expect(html).toContain("&#60;i&#62;eve&#60;/i&#62;&#38;&#34;&#39;");
    expect(html).not.toContain("<i>");
  });
});

test("failed sign-ins at the form and failed logins of docker clients are counted together", async () => {
  const curl = await newCurl();
  const token = await tokenAt(curl, "/login");
  const guess = (): Promise<string> =>
    curl(
      "/login",
      "--include",
      ...["username=carol", "password=guess", `token=${token}`].flatMap((field) => ["-d", field]),
    );
  const responses = await Promise.all(Array.from({ length: 30 }, guess));
  const refused = responses.filter((response) => response.startsWith("HTTP/1.1 429 "));
  expect(refused).not.toHaveLength(0);
  for (const response of refused) {
    expect(response).toMatch(/^Retry-After: \d+\r$/m);
    expect(response).toContain("Too many logins have failed. Try again later.");
  }
  const docker = Array.from({ length: 10 }, () => curl("/v2/", ...status, "--user", "CAROL:guess"));
  expect(await Promise.all(docker)).toContain("429");
  expect(await curl("/v2/", ...status, "--user", `alice:${passwords.alice}`)).toBe("200");
});

describe("a program with the cookie of a session", () => {
  test("reads, and writes where it says that it comes from the portal's own origin", async () => {
    const curl = await newCurl();
    await signIn(curl, "alice", passwords.alice);
    expect(JSON.parse(await curl("/v2/_catalog"))).toEqual({ repositories: ["team/app", "team/lib"] });
    const upload = ["/v2/team/app/blobs/uploads/", ...status, "--request", "POST"] as const;
    expect(await curl(...upload)).toBe("403");
    expect(await curl(...upload, "--header", "Origin: https://evil.example")).toBe("403");
    expect(await curl(...upload, "--header", `Origin: ${portal.url.replace("https", "http")}`)).toBe("403");
    expect(await curl(...upload, "--header", `Origin: ${portal.url}`)).toBe("202");
  });

  test("has no say beside another user's password, and none beside a wrong one", async () => {
    const curl = await newCurl();
    await signIn(curl, "alice", passwords.alice);
    const ask = (login: string) => curl("/v2/team/app/tags/list", ...status, "--user", login);
    expect(await ask(`bob:${passwords.bob}`)).toBe("400");
    expect(await ask("alice:wrong")).toBe("401");
    expect(await ask(`alice:${passwords.alice}`)).toBe("200");
  });

  test("is signed out once an account or a group has changed", async () => {
    const curl = await newCurl();
    await signIn(curl, "bob", passwords.bob);
    expect(await curl("/v2/team/app/tags/list", ...status)).toBe("200");
    await portal.setUsers({ alice: passwords.alice });
    onTestFinished(() => portal.setUsers(passwords));
    expect(await curl("/v2/team/app/tags/list", ...status)).toBe("401");
    expect(await curl("/", ...status)).toBe("303");
  });

  test("learns what may be done, and of at most fifty repositories at once", async () => {
    const curl = await newCurl();
    await signIn(curl, "alice", passwords.alice);
    expect(JSON.parse(await curl("/permissions?repository=team/app&repository=secret/app&repository=X"))).toEqual({
      "team/app": { pull: true, push: true, delete: true },
      "secret/app": { pull: false, push: false, delete: false },
      X: { pull: false, push: false, delete: false },
    });
    expect(JSON.parse(await curl("/permissions?repository=team/lib"))).toEqual({
      "team/lib": { pull: true, push: false, delete: false },
    });
    expect(JSON.parse(await curl("/permissions"))).toEqual({});
    const many = Array.from({ length: 51 }, (_, index) => `repository=a${index}`).join("&");
    expect(await curl(`/permissions?${many}`, ...status)).toBe("400");
    expect(await (await newCurl())("/permissions?repository=team/app", ...status)).toBe("303");
  });
});

test("skopeo pushes and pulls with a password at the same door, and is refused by the same rules", async () => {
  const host = new URL(portal.url).host.replace("127.0.0.1", "localhost");
  const file = join(directory, "image.tar");
  await writeFile(file, imageArchive("image:1", [{ "etc/version": "1\n" }]));
  const user = async (username: keyof typeof passwords) => {
    const { skopeo, close } = await newSkopeoUser(authority);
    onTestFinished(close);
    const login = await skopeo(["login", "--username", username, "--password-stdin", host], passwords[username]);
    expect(login).toMatchObject({ code: 0 });
    return skopeo;
  };
  const [alice, bob] = [await user("alice"), await user("bob")];
  const image = `docker://${host}/team/app:skopeo`;
  expect(await alice(["copy", "--quiet", `docker-archive:${file}`, image])).toMatchObject({ code: 0, stderr: "" });
  expect(await bob(["inspect", image])).toMatchObject({ code: 0 });
  const refused = await bob(["copy", "--quiet", `docker-archive:${file}`, image]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("requested access to the resource is denied");
  expect(portal.records.some(({ backend, operation }) => backend === "users" && operation === "put-manifest")).toBe(
    true,
  );
});

test("what docker pushes with a password is seen by the session of the same user", async () => {
  const daemon = await startDockerd();
  onTestFinished(() => daemon.close());
  const { host } = new URL(portal.url);
  const image = `${host}/team/app:docker`;
  const login = await daemon.docker(["login", "--username", "alice", "--password-stdin", host], passwords.alice);
  expect(login).toMatchObject({ code: 0 });
  await daemon.load(image, [{ "etc/version": "1\n" }, { "srv/data": incompressible(1_000_000) }]);
  expect(await daemon.docker(["push", "--quiet", image])).toMatchObject({ code: 0 });

  const curl = await newCurl();
  await signIn(curl, "alice", passwords.alice);
  const listed: { tags: string[] } = JSON.parse(await curl("/v2/team/app/tags/list"));
  expect(listed.tags).toContain("docker");

  expect(await daemon.docker(["rmi", image])).toMatchObject({ code: 0 });
  expect(await daemon.docker(["pull", "--quiet", image])).toMatchObject({ code: 0 });
  const stranger = await daemon.newUser();
  expect((await stranger(["pull", image])).code).not.toBe(0);
});
