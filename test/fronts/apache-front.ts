import { type Apache, startApache } from "../support/apache.ts";
import type { OpenIdProvider } from "../support/open-id-provider.ts";
import { frontAddress } from "./layout.ts";

/** The page that asks people to sign in. */
export const portal = "/portal/index.html";

/**
 * Apache with mod_auth_openidc as a company's portal has it: people sign in at `/portal/`, and their session counts
 * below `/v2/` too. There a request without a session passes as well, because docker clients log in by themselves.
 *
 * @param gatePort Where the gate is reached.
 */
export function startApacheFront(provider: OpenIdProvider, gatePort: number): Promise<Apache> {
  return startApache({
    modules: ["auth_openidc"],
    whenMissing: "install the Debian package libapache2-mod-auth-openidc",
    files: { [portal]: "<title>The portal</title>" },
    async configuration(port) {
      const client = await provider.register(`http://localhost:${port}/portal/callback`);
      return [
        `OIDCProviderMetadataURL ${provider.issuer}/.well-known/openid-configuration`,
        `OIDCClientID ${client.id}`,
        `OIDCClientSecret ${client.secret}`,
        `OIDCRedirectURI ${client.redirectUri}`,
        "OIDCCryptoPassphrase a-passphrase-for-tests",
        'OIDCScope "openid profile email groups"',
        "OIDCRemoteUserClaim preferred_username",
        "OIDCPassClaimsAs headers",
        // Of two groups in one header. The default is a comma, which a group may have in its name.
        'OIDCClaimDelimiter ";"',
        "ForceType text/html",
        "<Location />",
        "AuthType openid-connect",
        "Require valid-user",
        "</Location>",
        "<Location /v2/>",
        "OIDCUnAuthAction pass",
        "</Location>",
        "ProxyPreserveHost On",
        `ProxySourceAddress ${frontAddress}`,
        `ProxyPass /v2/ http://127.0.0.1:${gatePort}/v2/ nocanon`,
      ];
    },
  });
}
