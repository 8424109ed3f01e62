import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { closingStack } from "../support/closing-stack.ts";
import { directoryBackend } from "../support/directory-backend.ts";
import { freePort } from "../support/free-port.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type Place, startPlace } from "./place.ts";

/** The guide of docs/login-problems.md, walked for causes in a real directory and on the way to it. */

const { keep, close } = closingStack();
let slapd: Slapd;
let place: Place;

beforeAll(async () => {
  slapd = await keep(startSlapd());
  place = await placeWith({});
});

afterAll(close);

function placeWith(options: object): Promise<Place> {
  const backend = { ...directoryBackend(slapd), ...options };
  return keep(startPlace({ auth: { backends: [backend] } }));
}

describe("the guide to login problems", () => {
  test.each([
    ["locked", "disabled", "disabledpw", "the account is locked"],
    ["expired", "expired", "expiredpw", "the password has expired"],
    ["to be changed", "mustchange", "mustchangepw", "the password must be changed"],
  ])("leads to an account or password that is %s", async (_, username, password, reason) => {
    // The password of one expires a second after the directory has started.
    const said = (): Promise<string> => place.command("check", ["--connect", "--user", username], `${password}\n`);
    await expect.poll(said).toContain(reason);
    expect((await place.login(username, password)).code).not.toBe(0);
    const { status, id } = await place.curl(username, password);
    expect(status).toBe(401);
    const story = await place.why([id]);
    expect(story).toContain(reason);
    expect(story).toContain('See "The account is locked, disabled or expired"');
  });

  test("leads to a filter that finds two users", async () => {
    const ambiguous = await placeWith({ searchFilter: "(mail={{username}})" });
    const { status, id } = await ambiguous.curl("twin@example.org", "twin1pw");
    expect(status).toBe(401);
    const story = await ambiguous.why([id]);
    expect(story).toContain("several entries have this name");
    expect(story).toContain('See "The filter finds two users"');
    const said = await ambiguous.command("check", ["--connect", "--user", "twin@example.org"], "twin1pw\n");
    expect(said).toContain("several entries have this name");
  });

  test("leads to a service account that the directory rejects", async () => {
    const rejected = await placeWith({ bindPassword: "old" });
    expect((await rejected.login("alice", "alicepw")).stderr).toMatch(/503|unavailable/i);
    const { status, id } = await rejected.curl("alice", "alicepw");
    expect(status).toBe(503);
    const story = await rejected.why([id]);
    expect(story).toContain("service account rejected");
    expect(story).toContain('See "The directory rejects the gate"');
    expect(await rejected.command("check", ["--connect"])).toMatch(/bind failed: service account rejected/);
  });

  test("leads to a directory that is down", async () => {
    const down = await placeWith({ urls: [`ldaps://127.0.0.1:${await freePort()}`] });
    const { status, id } = await down.curl("alice", "alicepw");
    expect(status).toBe(503);
    const story = await down.why([id]);
    expect(story).toMatch(/reason +no response from ldap/);
    expect(story).toContain("connection refused");
    expect(story).toContain('See "A backend is unavailable"');
    expect(await down.command("check", ["--connect"])).toMatch(/connect failed: .*connection refused/);
  });

  test("leads to a directory with a certificate of another authority", async () => {
    const { authority } = await makeCertificate();
    const mistrusting = await placeWith({ caCert: authority });
    const { status, id } = await mistrusting.curl("alice", "alicepw");
    expect(status).toBe(503);
    const story = await mistrusting.why([id]);
    expect(story).toMatch(/certificate/);
    expect(story).toContain('See "A backend is unavailable"');
    expect(await mistrusting.command("check", ["--connect"])).toMatch(/tls failed: .*certificate/);
  });
});
