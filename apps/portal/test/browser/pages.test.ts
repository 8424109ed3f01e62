import { type EmbeddedRegistry, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../../../../test/support/basic.ts";
import { startChromium } from "../../../../test/support/chromium.ts";
import type { PortalStatus } from "../../src/index.ts";
import { putImage } from "../registry/content.ts";
import { openUsers, passwords, type RunningPortal, startPortal, type Users } from "../stage.ts";
import { longRepository, longTag, startFullRegistry } from "./content.ts";
import { inspect, looks, signIn, withLook } from "./look.ts";

let registry: EmbeddedRegistry;
let empty: EmbeddedRegistry;
let users: Users;
let portal: RunningPortal;
let emptyPortal: RunningPortal;
let browser: Browser;
beforeAll(async () => {
  [registry, empty, users, browser] = await Promise.all([
    startFullRegistry(),
    startEmbeddedRegistry(),
    openUsers(),
    startChromium(),
  ]);
  portal = await startPortal({ users, upstream: registry.url, sources: { status: async () => status } });
  emptyPortal = await startPortal({ users, upstream: empty.url });
});
afterAll(async () => {
  await browser?.close();
  await portal?.close();
  await emptyPortal?.close();
  await users?.close();
  await Promise.all([registry?.close(), empty?.close()]);
});

const status: PortalStatus = {
  parts: [
    { name: "registry", state: "ok", since: Date.now() },
    { name: "backend:ldap", state: "failed", reason: "no connection", since: Date.now() - 3_600_000 },
  ],
  certificateUntil: Date.now() + 20 * 86_400_000,
};

/** What clients of the registry do, so that the pages have something to tell. */
async function useRegistry(): Promise<void> {
  const agent =
    "docker/28.3.2 go/go1.24.5 git-commit/e77ff99 kernel/6.1.0-38-amd64 os/linux arch/amd64 UpstreamClient(Docker-Client/28.3.2)";
  const headers = { ...basic("alice", passwords.alice), "user-agent": agent, accept: "*/*" };
  for (const tag of ["latest", "1.2.0", longTag]) {
    await (await fetch(`${portal.url}/v2/team/app/manifests/${tag}`, { headers })).text();
  }
  for (let times = 0; times < 12; times++) await fetch(`${portal.url}/v2/`, { headers: basic("mallory", "wrong") });
}

/** Every page, and the states that a list can be in. */
const pages: Readonly<Record<string, string>> = {
  repositories: "/",
  "repositories-found": "/?q=service-1",
  "repositories-not-found": "/?q=nothing",
  repository: "/r/team/app",
  "repository-long": `/r/${longRepository}`,
  "repository-without-tags": "/r/alice/new",
  artifact: "/r/team/app:latest",
  "artifact-long": `/r/team/app:${longTag}`,
  chart: "/r/team/charts/web:2.1.0",
  delete: "/delete/team/app:latest",
  tokens: "/tokens",
  activity: "/activity",
  everybody: "/everybody",
  why: "/why?repository=team/lib&action=push",
  "how-to": "/how-to",
  "not-there": "/r/secret/app",
};

describe.each(looks)("$name", ({ name: look, ...options }) => {
  test("every page has no fault that a tool finds, fits, and complains of nothing", async () => {
    await withLook(browser, options, async (page) => {
      await page.goto(`${emptyPortal.url}/sign-in`);
      await inspect(page, "sign-in", look);
      await signIn(page, emptyPortal.url);
      await inspect(page, "repositories-empty", look);
    });
    await useRegistry();
    await withLook(browser, options, async (page) => {
      await signIn(page, portal.url);
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(`${portal.url}${path}`);
        await inspect(page, name, look);
      }
    });
  });
});

test("a name that does not fit is cut in its middle, and whole to hover and to read aloud", async () => {
  await withLook(browser, { viewport: { width: 320, height: 700 } }, async (page) => {
    await signIn(page, portal.url);
    const link = page.getByRole("link", { name: longRepository, exact: true });
    const { cut, title, end } = await link.evaluate((element) => {
      const start = element.querySelector(".start");
      const last = element.querySelector(".end")?.getBoundingClientRect();
      return {
        cut: start !== null && start.scrollWidth > start.clientWidth,
        title: element.querySelector("[title]")?.getAttribute("title"),
        end: last === undefined ? 0 : last.right,
      };
    });
    expect(cut).toBe(true);
    expect(title).toBe(longRepository);
    expect(end).toBeLessThanOrEqual(320);
  });
});

test("a list is searched as people type", async () => {
  await withLook(browser, {}, async (page) => {
    await signIn(page, portal.url);
    await page.getByRole("searchbox").pressSequentially("service-1");
    await page.getByText("11 of 65 match").waitFor();
    expect(await page.getByRole("rowheader").allTextContents()).toContain("team/service-19");
    expect(page.url()).toBe(`${portal.url}/?q=service-1`);
    await page.getByRole("searchbox").fill("nothing");
    await page.getByText("No repository has “nothing” in its name.").waitFor();
    await page.getByRole("searchbox").fill("");
    await page.getByText("65 repositories, 1 to 50 shown").waitFor();
  });
});

test("the line to pull is copied", async () => {
  await withLook(browser, { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    await signIn(page, portal.url);
    await page.goto(`${portal.url}/r/team/app:latest`);
    await page.getByRole("button", { name: "Copy the command by tag" }).click();
    await page.getByRole("status").getByText("Copied").waitFor();
    const copied = await page.evaluate("navigator.clipboard.readText()");
    expect(copied).toBe(`docker pull ${new URL(portal.url).host}/team/app:latest`);
  });
});

/** Presses Tab until something with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    const focused: { text: string; outline: string } = await page.evaluate(
      "({ text: document.activeElement.textContent.trim(), outline: getComputedStyle(document.activeElement).outlineStyle })",
    );
    if (focused.text !== name) continue;
    expect(focused.outline).not.toBe("none");
    return;
  }
  throw new Error(`the keyboard does not reach ${name}`);
}

const tagsOf = async (repository: string): Promise<string[]> => {
  const { tags }: { tags?: string[] | null } = JSON.parse(
    await (await fetch(`${registry.url}/v2/${repository}/tags/list`)).text(),
  );
  return tags ?? [];
};

test("by the keyboard alone somebody signs in, finds a tag and deletes it", async () => {
  const to = { url: portal.url, repository: "alice/keys", headers: basic("alice", passwords.alice) };
  await putImage(to, "1.0");
  await putImage(to, "2.0");
  await withLook(browser, {}, async (page) => {
    await page.goto(portal.url);
    // The page puts the focus there itself.
    await expect.poll(() => page.evaluate("document.activeElement.name")).toBe("username");
    await page.keyboard.type("alice");
    await page.keyboard.press("Tab");
    await page.keyboard.type("alice's canary");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Repositories" }).waitFor();
    await tabTo(page, "Skip to the page");
    await page.goto(`${portal.url}/?q=alice`);
    for (const step of ["alice/keys", "1.0", "Delete …", "Delete the tag"]) {
      await tabTo(page, step);
      await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
    }
    await page.getByRole("status").getByText("The tag 1.0 is deleted.").waitFor();
  });
  expect(await tagsOf("alice/keys")).toEqual(["2.0"]);
});

test("without script every page works: search, read, delete", async () => {
  const to = { url: portal.url, repository: "alice/plain", headers: basic("alice", passwords.alice) };
  await putImage(to, "1.0");
  await withLook(browser, { javaScriptEnabled: false }, async (page) => {
    await signIn(page, portal.url);
    expect(await page.getByRole("button", { name: /^Copy/ }).count()).toBe(0);
    await page.getByRole("searchbox").fill("plain");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("link", { name: "alice/plain" }).click();
    await page.getByRole("link", { name: "1.0" }).click();
    await page.getByRole("link", { name: "Delete …" }).click();
    await page.getByRole("button", { name: "Delete the tag" }).click();
    await page.getByText("The tag 1.0 is deleted.").waitFor();
  });
  expect(await tagsOf("alice/plain")).toEqual([]);
});

test("what has changed since somebody was asked is not deleted", async () => {
  const to = { url: registry.url, repository: "alice/race" };
  await putImage(to, "1.0");
  await withLook(browser, {}, async (page) => {
    await signIn(page, portal.url);
    await page.goto(`${portal.url}/delete/alice/race:1.0`);
    await putImage(to, "1.0", { layer: "something new" });
    await page.getByRole("button", { name: "Delete the tag" }).click();
    await page.getByRole("alert").getByText("Nothing was deleted: it has changed").waitFor();
  });
  expect(await tagsOf("alice/race")).toEqual(["1.0"]);
});

test("a first visit loads less than 100 KiB", async () => {
  await withLook(browser, {}, async (page) => {
    let bytes = 0;
    page.on("response", async (response) => {
      const { responseBodySize, responseHeadersSize } = await response.request().sizes();
      bytes += responseBodySize + responseHeadersSize;
    });
    await signIn(page, portal.url);
    await page.goto(`${portal.url}/r/team/app`);
    await page.waitForLoadState("networkidle");
    expect(bytes).toBeLessThan(100 * 1024);
  });
});
