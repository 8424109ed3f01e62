import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../support/listen.ts";

/** Somebody whom a sign-in service knows. */
export interface Member {
  readonly username: string;
  readonly groups: readonly string[];
}

/** How a product answers nginx's `auth_request`. */
export interface SignInProduct {
  readonly name: string;
  /** What the documentation's address of it is. */
  readonly address: string;
  readonly path: string;
  readonly cookie: string;
  /** For a user with a session. */
  readonly status: number;
  headersOf(member: Member): Readonly<Record<string, string>>;
  /** Beside the 401 for a user without one. */
  readonly refusal: Readonly<Record<string, string>>;
  /** The headers by which the gate's preset of the same name knows people. */
  readonly presetHeaders: readonly string[];
}

export const signInProducts: readonly SignInProduct[] = [
  {
    name: "oauth2-proxy",
    address: "127.0.0.1:4180",
    path: "/oauth2/auth",
    cookie: "_oauth2_proxy",
    status: 202,
    headersOf: ({ username, groups }) => ({
      "X-Auth-Request-User": username,
      "X-Auth-Request-Groups": groups.join(","),
      "X-Auth-Request-Email": `${username}@example.com`,
      "X-Auth-Request-Preferred-Username": username,
    }),
    refusal: { "Content-Type": "text/plain; charset=utf-8" },
    presetHeaders: ["X-Forwarded-User", "X-Forwarded-Groups", "X-Forwarded-Email", "X-Forwarded-Preferred-Username"],
  },
  {
    name: "authelia",
    address: "127.0.0.1:9091",
    path: "/api/authz/auth-request",
    cookie: "authelia_session",
    status: 200,
    headersOf: ({ username, groups }) => ({
      "Remote-User": username,
      "Remote-Groups": groups.join(","),
      "Remote-Name": username,
      "Remote-Email": `${username}@example.com`,
    }),
    // Where to sign in.
    refusal: { Location: "https://auth.example.com/?rd=https://registry.example.com/" },
    presetHeaders: ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"],
  },
  {
    name: "authentik",
    address: "127.0.0.1:9000",
    path: "/outpost.goauthentik.io/auth/nginx",
    cookie: "authentik_proxy_1",
    status: 200,
    headersOf: ({ username, groups }) => ({
      "X-authentik-username": username,
      "X-authentik-groups": groups.join("|"),
      "X-authentik-email": `${username}@example.com`,
      "X-authentik-name": username,
      "X-authentik-uid": randomUUID(),
    }),
    refusal: { "Set-Cookie": "authentik_proxy_1=new; Path=/; HttpOnly" },
    presetHeaders: ["X-authentik-username", "X-authentik-groups", "X-authentik-email", "X-authentik-name"],
  },
];

/** A sign-in service that does as a product does. */
export interface SignInService {
  readonly port: number;
  /** Signs somebody in, and gives the headers of the session's user. */
  signIn(member: Member): { readonly cookie: string };
  /** Signs somebody in whom the product's own rules keep out. */
  signInForbidden(): { readonly cookie: string };
  /** The heads of all that it was asked. */
  readonly asked: readonly IncomingHttpHeaders[];
  close(): Promise<void>;
}

export async function startSignInService(product: SignInProduct): Promise<SignInService> {
  const sessions = new Map<string, Member | "forbidden">();
  const asked: IncomingHttpHeaders[] = [];
  const begin = (who: Member | "forbidden"): { readonly cookie: string } => {
    const session = randomUUID();
    sessions.set(session, who);
    return { cookie: `${product.cookie}=${session}` };
  };

  function respond({ url, headers }: IncomingMessage, response: ServerResponse): void {
    asked.push(headers);
    if (url !== product.path) return void response.writeHead(404).end();
    const session = new RegExp(`(?:^|; )${product.cookie}=([^;]+)`).exec(headers.cookie ?? "")?.[1] ?? "";
    const who = sessions.get(session);
    if (who === undefined) response.writeHead(401, product.refusal).end("Unauthorized\n");
    else if (who === "forbidden") response.writeHead(403).end("Forbidden\n");
    else response.writeHead(product.status, product.headersOf(who)).end();
  }

  const server = createServer(respond);
  return {
    port: await listen(server),
    signIn: begin,
    signInForbidden: () => begin("forbidden"),
    asked,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
