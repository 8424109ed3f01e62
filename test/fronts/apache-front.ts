import type { Browser, Page } from "playwright-core";
import { startable } from "../programs/startable.ts";
import { type Apache, startApache } from "../support/apache.ts";
import type { OpenIdProvider } from "../support/open-id-provider.ts";
import { documentedFront, gateAt } from "./documented-front.ts";
import { frontAddress } from "./layout.ts";
import type { people } from "./people.ts";
import { signIn } from "./sign-in.ts";

const portal = "/portal/index.html";

/** The backend that knows people by the headers of {@link startApacheFront}. */
export const apacheBackend = {
  type: "sso-header",
  preset: "mod_auth_openidc",
  groupsSeparator: ";",
  trustedProxies: [frontAddress],
};

/**
 * Apache with mod_auth_openidc as the documentation has it: people sign in at `/portal/`, and their session counts below
 * `/v2/` too. There a request without a session passes as well, because docker clients log in by themselves.
 *
 * @param gatePort Where the gate is reached.
 */
export async function startApacheFront(provider: OpenIdProvider, gatePort: number): Promise<Apache> {
  startable("mod_auth_openidc");
  return startApache({
    modules: ["auth_openidc"],
    files: { [portal]: "<title>The portal</title>" },
    async configuration(port) {
      const client = await provider.register(`http://localhost:${port}/portal/callback`);
      const server = await documentedFront("apache", "openid-connect", {
        ...gateAt(gatePort),
        "<VirtualHost *:443>": `<VirtualHost 127.0.0.1:${port}>`,
        "ServerName registry.example.com": "ServerName localhost",
        "https://idp.example.com/.well-known/openid-configuration": `${provider.issuer}/.well-known/openid-configuration`,
        "OIDCClientID registry": `OIDCClientID ${client.id}`,
        "a-secret-of-the-provider": client.secret,
        "https://registry.example.com/portal/callback": client.redirectUri,
      });
      return ["ForceType text/html", `ProxySourceAddress ${frontAddress}`, ...server.split("\n")];
    },
  });
}

/** A person's browser after they have signed in. */
export interface ApacheSession {
  /** At the portal. */
  readonly page: Page;
  /** The headers of the session's user. */
  readonly headers: { readonly cookie: string };
}

/** Goes to the portal with a new browser, and signs in where the portal sends it. */
export async function apacheSession(
  browser: Browser,
  { url }: Apache,
  username: keyof typeof people,
): Promise<ApacheSession> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url + portal);
  await signIn(page, username);
  await page.waitForURL(url + portal);
  const cookies = await context.cookies(url);
  return { page, headers: { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") } };
}
