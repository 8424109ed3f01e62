import type { Browser } from "playwright-core";
import type { Client, OpenIdProvider } from "../support/open-id-provider.ts";
import type { people } from "./people.ts";
import { signIn } from "./sign-in.ts";

/** Signs somebody in with Chromium, and gives what the provider says of them to the client. */
export async function idTokenOf(
  browser: Browser,
  provider: OpenIdProvider,
  client: Client,
  username: keyof typeof people,
): Promise<string> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(provider.authorizationUrl(client));
  const back = page.waitForRequest((request) => request.url().startsWith(client.redirectUri));
  await signIn(page, username);
  const code = new URL((await back).url()).searchParams.get("code");
  return provider.idToken(client, code ?? "");
}
