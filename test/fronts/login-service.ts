import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "../support/listen.ts";
import { people } from "./people.ts";

/** A portal's own login, as nginx asks it by `auth_request`: a user with a session is named in two headers. */
export interface LoginService {
  readonly port: number;
  close(): Promise<void>;
}

/** Responds to `POST /login` with a session in a cookie, and `/whoami` always with 200. */
export async function startLoginService(): Promise<LoginService> {
  const sessions = new Map<string, keyof typeof people>();
  const server = createServer((request, response) => void respond(request, response));

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/login") return login(new URLSearchParams(await text(request)), response);
    const session = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    const username = sessions.get(session);
    if (username !== undefined) {
      response.setHeader("X-User", Buffer.from(username, "utf8").toString("latin1"));
      response.setHeader("X-Groups", people[username].groups.join(";"));
    }
    response.end();
  }

  function login(form: URLSearchParams, response: ServerResponse): void {
    const username = personCalled(form.get("username"));
    if (username === undefined || people[username].password !== form.get("password")) {
      response.writeHead(401).end();
      return;
    }
    const session = randomUUID();
    sessions.set(session, username);
    response.writeHead(204, { "set-cookie": `session=${session}; HttpOnly` }).end();
  }

  return {
    port: await listen(server),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function personCalled(wanted: string | null): keyof typeof people | undefined {
  return Object.keys(people).find((name): name is keyof typeof people => name === wanted);
}
