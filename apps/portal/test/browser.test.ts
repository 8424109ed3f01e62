import { createServer } from "node:http";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startChromium } from "../../../test/support/chromium.ts";
import { listen } from "../../../test/support/listen.ts";
import { passwords, type Stage, setStage } from "./stage.ts";

let portal: Stage;
let chromium: Browser;
beforeAll(async () => {
  [portal, chromium] = await Promise.all([setStage(), startChromium()]);
});
afterAll(async () => {
  await chromium?.close();
  await portal?.close();
});

/** A browser without cookies, at the login page. */
async function newVisitor(): Promise<Page> {
  const context = await chromium.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(portal.url);
  return page;
}

async function signIn(page: Page, username: keyof typeof passwords, password = passwords[username]): Promise<void> {
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", password);
  await page.click("button");
}

async function signedIn(username: keyof typeof passwords): Promise<Page> {
  const page = await newVisitor();
  await signIn(page, username);
  await page.getByText("These are all.").waitFor();
  return page;
}

const buttons = (page: Page, repository: string) => {
  const row = page.locator(`tr[data-repository="${repository}"]`);
  return { row, show: row.getByText("Show tags"), copy: row.getByText("Copy"), remove: row.getByText("Delete") };
};

const said = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator("#message").getByText(text).waitFor({ timeout: 30_000 });

/** What the registry itself knows. */
async function tagsOf(repository: string): Promise<unknown> {
  return ((await (await fetch(`${portal.registry.url}/v2/${repository}/tags/list`)).json()) as { tags: unknown }).tags;
}

/** A request of a script of the page, with its session. */
function scripted(page: Page, path: string, method = "GET", headers: Record<string, string> = {}): Promise<number> {
  return page.evaluate(async (init) => (await fetch(init.path, init)).status, { path, method, headers });
}

describe("a browser", () => {
  test("is sent to the login page, and on to the repositories by the right password alone", async () => {
    const page = await newVisitor();
    expect(page.url()).toBe(`${portal.url}/login`);
    await signIn(page, "alice", "wrong");
    expect(await page.getByRole("alert").textContent()).toBe("The user name or the password is wrong.");
    expect(await scripted(page, "/v2/_catalog")).toBe(401);
    await signIn(page, "alice");
    await page.waitForURL(`${portal.url}/`);
    expect(await page.locator("#username").textContent()).toBe("alice");
  });

  test("sees the repositories that they may pull, and buttons for what they may do", async () => {
    const repositories = async (page: Page) => page.locator("tbody td:first-child").allTextContents();
    const alice = await signedIn("alice");
    expect(await repositories(alice)).toEqual(["team/app", "team/lib"]);
    const app = buttons(alice, "team/app");
    for (const button of [app.show, app.copy, app.remove]) expect(await button.isDisabled()).toBe(false);
    const lib = buttons(alice, "team/lib");
    expect(await lib.show.isDisabled()).toBe(false);
    for (const button of [lib.copy, lib.remove]) expect(await button.isDisabled()).toBe(true);

    const bob = await signedIn("bob");
    expect(await repositories(bob)).toEqual(["bob/tool", "team/app", "team/lib"]);
    for (const [name, disabled] of [
      ["team/app", true],
      ["bob/tool", false],
    ] as const) {
      const { copy, remove } = buttons(bob, name);
      expect([await copy.isDisabled(), await remove.isDisabled()]).toEqual([disabled, disabled]);
    }
  });

  test("reads, copies and deletes in the registry by the session of the page", async () => {
    const page = await signedIn("bob");
    const { row, show, copy, remove } = buttons(page, "bob/tool");
    await show.click();
    await said(page, "bob/tool has the tags latest");
    await row.getByLabel("New tag").fill("v1");
    await copy.click();
    await said(page, "bob/tool:latest is now bob/tool:v1 as well");
    expect(await tagsOf("bob/tool")).toEqual(["latest", "v1"]);
    await row.getByLabel("Tag", { exact: true }).fill("v1");
    await remove.click();
    await said(page, "what was bob/tool:v1 is deleted");
    expect(await tagsOf("bob/tool")).toBeNull();
    expect(portal.records.findLast(({ method }) => method === "DELETE")).toMatchObject({
      username: "bob",
      backend: "portal",
      status: 202,
    });
  });

  test("cannot do more than that, whatever the page's script requests", async () => {
    const page = await signedIn("bob");
    expect(await scripted(page, "/v2/team/app/tags/list")).toBe(200);
    expect(await scripted(page, "/v2/team/app/blobs/uploads/", "POST")).toBe(403);
    expect(await scripted(page, "/v2/secret/app/tags/list")).toBe(403);
    expect(await scripted(page, "/v2/bob/new/blobs/uploads/", "POST")).toBe(202);
  });

  test("cannot be two users at once", async () => {
    const page = await signedIn("bob");
    const login = (username: keyof typeof passwords) => ({
      authorization: `Basic ${Buffer.from(`${username}:${passwords[username]}`).toString("base64")}`,
    });
    expect(await scripted(page, "/v2/team/app/tags/list", "GET", login("alice"))).toBe(400);
    expect(await scripted(page, "/v2/team/app/tags/list", "GET", login("bob"))).toBe(200);
  });

  test("is a stranger again after signing out, and is not asked by a window of the browser's", async () => {
    const page = await signedIn("alice");
    const cookies = await page.context().cookies();
    await page.getByText("Sign out").click();
    await page.waitForURL(`${portal.url}/login`);
    const response = await page.evaluate(async () => {
      const { status, headers } = await fetch("/v2/team/app/tags/list");
      return [status, headers.get("www-authenticate")];
    });
    expect(response).toEqual([401, null]);
    // The session itself is gone, and not its cookie alone.
    await page.context().addCookies(cookies);
    expect(await scripted(page, "/v2/team/app/tags/list")).toBe(401);
  });
});

describe("a foreign page in the same browser", () => {
  /** A page of another port: of the same site, so that the browser sends the portal's cookie along. */
  async function foreignPage(page: Page, html: string, host = "127.0.0.1"): Promise<void> {
    const server = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(html);
    });
    const port = await listen(server);
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    await page.goto(`http://${host}:${port}/`);
  }

  const upload = "/v2/team/app/blobs/uploads/";

  test("starts no upload by a form, whose request has the cookie", async () => {
    const page = await signedIn("alice");
    expect(await scripted(page, upload, "POST")).toBe(202);
    const form = `<form method="post" enctype="text/plain" action="${portal.url}${upload}"><button></button></form>`;
    await foreignPage(page, form);
    const [request] = await Promise.all([page.waitForRequest(`**${upload}`), page.click("button")]);
    const response = await request.response();
    expect((await request.allHeaders()).cookie).toMatch(/^portal=/);
    expect(response?.status()).toBe(403);
    expect(await response?.json()).toMatchObject({ errors: [{ code: "DENIED" }] });
    expect(portal.records.at(-1)).toMatchObject({ username: "alice", decision: "denied", method: "POST" });
  });

  test("reads nothing by a script, and learns nothing from an image that loads or does not", async () => {
    const page = await signedIn("alice");
    await foreignPage(page, "<p>foreign</p>");
    const url = `${portal.url}/v2/team/app/tags/list`;
    const read = await page.evaluate(async (target) => {
      const readable = await fetch(target, { credentials: "include" }).then(
        () => "read",
        () => "kept away",
      );
      const { type } = await fetch(target, { credentials: "include", mode: "no-cors" });
      return [readable, type];
    }, url);
    expect(read).toEqual(["kept away", "opaque"]);
    const mine = () => portal.records.filter(({ reason }) => reason === "sent by a page of another origin");
    await expect.poll(() => mine().filter(({ method }) => method === "GET").length).toBe(2);
    for (const record of mine()) expect(record).toMatchObject({ username: "alice", status: 403 });
  });

  test("of another site is sent without the cookie, and cannot sign users in or out", async () => {
    const page = await signedIn("alice");
    const cookies = await page.context().cookies();
    const forms = ["login", "logout"]
      .map((name) => `<form method="post" action="${portal.url}/${name}"><button>${name}</button></form>`)
      .join("");
    for (const [host, name] of [
      ["localhost", "logout"],
      ["127.0.0.1", "logout"],
      ["127.0.0.1", "login"],
    ] as const) {
      await foreignPage(page, forms, host);
      const [response] = await Promise.all([
        page.waitForResponse(`${portal.url}/${name}`),
        page.getByText(name).click(),
      ]);
      expect(response.status()).toBe(403);
    }
    expect(await page.context().cookies()).toEqual(cookies);
    await page.goto(portal.url);
    await page.getByText("These are all.").waitFor();
  });
});
