import type { Page } from "playwright-core";
import { people } from "./people.ts";

/** Fills in the form of the provider, where the page is. */
export async function signIn(page: Page, username: keyof typeof people): Promise<void> {
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", people[username].password);
  await page.click("button");
}
