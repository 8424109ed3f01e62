import { type Nginx, startNginx } from "../support/nginx.ts";
import { frontAddress } from "./layout.ts";
import type { LoginService } from "./login-service.ts";
import { people } from "./people.ts";

const secret = "the-secret-of-nginx";

/** The backend that knows people by the headers of {@link startNginxFront}. */
export const nginxBackend = {
  type: "sso-header",
  trustedProxies: [frontAddress],
  userHeader: "X-Forwarded-User",
  groupsHeader: "X-Forwarded-Groups",
  groupsSeparator: ";",
  sharedSecret: { header: "X-Gate-Secret", value: secret },
};

/**
 * nginx with `auth_request`, as a portal has it: a user with a session is named; one without passes unnamed, because
 * docker clients log in by themselves. It is as lenient with headers as nginx can be.
 *
 * @param gatePort Where the gate is reached.
 */
export function startNginxFront(login: LoginService, gatePort: number): Promise<Nginx> {
  return startNginx({
    http: (port) => `
      server {
        listen 127.0.0.1:${port};
        underscores_in_headers on;
        ignore_invalid_headers off;
        client_max_body_size 0;
        location = /login {
          proxy_pass http://127.0.0.1:${login.port};
        }
        location = /whoami {
          internal;
          proxy_pass http://127.0.0.1:${login.port};
          proxy_pass_request_body off;
          proxy_set_header Content-Length "";
        }
        location /v2/ {
          auth_request /whoami;
          auth_request_set $user $upstream_http_x_user;
          auth_request_set $groups $upstream_http_x_groups;
          proxy_pass http://127.0.0.1:${gatePort};
          proxy_bind ${frontAddress};
          proxy_http_version 1.1;
          proxy_request_buffering off;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-User $user;
          proxy_set_header X-Forwarded-Groups $groups;
          proxy_set_header X-Gate-Secret ${secret};
        }
      }`,
  });
}

/** Signs somebody in, and gives the headers of the session's user. */
export async function nginxSession(
  { port }: Nginx,
  username: keyof typeof people,
): Promise<{ readonly cookie: string }> {
  const { password } = people[username];
  const body = new URLSearchParams({ username, password });
  const response = await fetch(`http://127.0.0.1:${port}/login`, { method: "POST", body });
  const [cookie] = response.headers.getSetCookie();
  if (response.status !== 204 || cookie === undefined)
    throw new Error(`${username} cannot sign in: ${response.status}`);
  return { cookie: cookie.split(";", 1).join() };
}
