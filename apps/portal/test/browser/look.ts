import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { passwords } from "../stage.ts";

const screenshots = fileURLToPath(new URL("../../../../artifacts/portal/", import.meta.url));
const axe = readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** The browsers that pages are looked at with. */
export const looks: readonly (BrowserContextOptions & { readonly name: string })[] = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 320, height: 700 }, colorScheme: "light", hasTouch: true, isMobile: true },
  { name: "phone-dark", viewport: { width: 390, height: 800 }, colorScheme: "dark", hasTouch: true, isMobile: true },
  { name: "wide-light", viewport: { width: 2560, height: 1200 }, colorScheme: "light" },
];

export async function signIn(page: Page, url: string, username: keyof typeof passwords = "alice"): Promise<void> {
  await page.goto(url);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(passwords[username]);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** What is no fault of a page: it is not there, or the test had its field before the browser gave it the focus. */
const harmless = /status of 40[349]|^Autofocus processing was blocked/;

/** Notes whatever a browser complains of, but for what is harmless. */
function complaintsOf(context: BrowserContext): readonly string[] {
  const complaints: string[] = [];
  context.on("console", (message) => {
    if (!harmless.test(message.text())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  return complaints;
}

/** Holds a page to what every page keeps to, and keeps a picture of it. */
export async function inspect(page: Page, name: string, look: string): Promise<void> {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}-${look}.png`), fullPage: true });
  expect(await faultsIn(page), `${name}, ${look}`).toEqual([]);
  const [wide = 0, screen = 0]: number[] = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
  expect(wide, `${name}, ${look}: wider than the screen`).toBeLessThanOrEqual(screen);
  if (look.startsWith("phone")) expect(await smallTargets(page), `${name}, ${look}`).toEqual([]);
}

async function faultsIn(page: Page): Promise<string[]> {
  await page.evaluate(await axe);
  const results: AxeResults = await page.evaluate("axe.run()");
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Controls that are lower than a finger needs; links within sentences are as high as their line. */
function smallTargets(page: Page): Promise<string[]> {
  return page
    .locator("button, .button, input:not([type=hidden]), select, header a, th a, .pager a")
    .evaluateAll((elements) =>
      elements
        .filter((element) => element.checkVisibility() && element.closest(".skip") === null)
        .filter((element) => (element.closest("label") ?? element).getBoundingClientRect().height < 43.5)
        .map((element) => element.outerHTML.slice(0, 200)),
    );
}

/** Opens a browser of its own for each look. */
export async function withLook(
  browser: Browser,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  const complaints = complaintsOf(context);
  try {
    await use(await context.newPage());
  } finally {
    await context.close();
  }
  expect(complaints).toEqual([]);
}
