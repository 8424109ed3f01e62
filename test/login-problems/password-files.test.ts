import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closingStack } from "../support/closing-stack.ts";
import { startNginx } from "../support/nginx.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Place, startPlace } from "./place.ts";

/** The guide of docs/login-problems.md, walked for causes around a password file. */

const { keep, close } = closingStack();
let place: Place;

beforeAll(async () => {
  place = await keep(
    startPlace({
      auth: {
        backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }],
        throttle: { perUserAndAddress: "3/5m" },
      },
      access: [
        { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
        { subjects: ["group:pushers"], repositories: ["**"], actions: ["push"] },
      ],
      files: {
        htpasswd: `${await passwordFile({ alice: "alicepw", dave: "davepw" })}oldie:$1$salt$3b1jIjKGPhtYZYqUYWqYM1\nmd4:{NT}8846f7eaee8fb117ad06bdd830b7586c\n`,
        groups: "pushers: alice\n",
      },
    }),
  );
});

afterAll(close);

describe("the guide to login problems", () => {
  test("leads from unauthorized to a wrong password", async () => {
    const login = await place.login("alice", "wrong");
    expect(login.code).not.toBe(0);
    expect(login.stderr).toMatch(/unauthorized|invalid username\/password/);
    const { status, id, body } = await place.curl("alice", "wrong");
    expect(status).toBe(401);
    expect(body).toContain(id);
    const story = await place.why([id]);
    expect(story).toMatch(/who +alice tried to sign in, from 127\.0\.0\.1/);
    expect(story).toMatch(/reason +htpasswd: wrong password/);
    expect(story).toContain('See "The password is wrong"');
    expect(await place.why(["--user", "alice"])).toContain("wrong password");
    const again = await place.command("check", ["--connect", "--user", "alice"], "wrong\n");
    expect(again).toContain("wrong password");
  });

  test("leads to a user who is not known", async () => {
    expect((await place.login("nobody", "pw")).stderr).toMatch(/unauthorized|invalid username\/password/);
    const { id } = await place.curl("nobody", "pw");
    const story = await place.why([id]);
    expect(story).toContain('See "The user is not known"');
    expect(await place.command("explain", ["--user", "nobody", "pull", "team/app"])).toContain(
      "no backend knows nobody",
    );
  });

  test("leads to a name that differs in case", async () => {
    const { id } = await place.curl("Alice", "alicepw");
    expect(await place.why([id])).toContain('See "The user is not known"');
    const said = await place.command("explain", ["--user", "Alice", "pull", "team/app"]);
    expect(said).toContain("differs from Alice only in case");
  });

  test("leads to a hash of an unsupported kind", async () => {
    const { id } = await place.curl("md4", "password");
    expect(await place.why([id])).toContain('See "The user is not known"');
    expect(await place.command("check", [])).toMatch(/htpasswd.*line 4.*entry ignored|entry ignored.*/);
  });

  test("leads to the rule where a group is missing", async () => {
    const upload = ["--request", "POST", `${place.gate.url}/v2/team/app/blobs/uploads/`];
    const { status, id, body } = await place.curl("dave", "davepw", upload);
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ errors: [{ code: "DENIED", detail: { requestId: id } }] });
    const story = await place.why([id]);
    expect(story).toMatch(/who +dave, signed in by htpasswd/);
    expect(story).toMatch(/reason +no rule allows push on team\/app/);
    expect(story).toContain('See "The group is missing"');
    const said = await place.command("explain", ["--user", "dave", "push", "team/app"]);
    expect(said).toContain("access[1]: ");
  });

  test("leads to a front that removes the login", async () => {
    const gate = new URL(place.gate.url).host;
    const nginx = await keep(
      startNginx({
        http: (port) => `server {
          listen 127.0.0.1:${port};
          location /v2/ { proxy_pass http://${gate}; proxy_set_header Authorization ""; }
        }`,
      }),
    );
    const front = `http://127.0.0.1:${nginx.port}`;
    expect((await place.login("alice", "alicepw", front)).stderr).toMatch(/unauthorized|invalid username\/password/);
    const { status, id } = await place.curl("alice", "alicepw", [`${front}/v2/`]);
    expect(status).toBe(401);
    const story = await place.why([id]);
    expect(story).toMatch(/who +nobody has signed in/);
    expect(story).toContain('See "No login arrives"');
    // Compared with the gate's own address.
    expect((await place.curl("alice", "alicepw")).status).toBe(200);
  });

  test("leads to a pause after too many failures", async () => {
    for (let attempt = 0; attempt < 3; attempt++) await place.curl("dave", `wrong ${attempt}`);
    // The password is right, and was not used before.
    await place.curl("dave", "wrong again");
    const { status, id } = await place.curl("dave", "wrong at last");
    expect(status).toBe(429);
    const story = await place.why([id]);
    expect(story).toContain("too many failed logins");
    expect(story).toContain('See "Too many failed logins"');
  });
});
