import type { Page } from "playwright-core";
import { people } from "./people.ts";

/** Goes to a page that asks who is there, and fills in what the provider asks for. */
export async function signIn(page: Page, url: string, username: keyof typeof people): Promise<void> {
  await page.goto(url);
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", people[username].password);
  await page.click("button");
  await page.waitForURL((location) => location.href.startsWith(url));
}
