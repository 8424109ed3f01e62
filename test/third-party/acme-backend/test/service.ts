import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** ACME's accounts service, with three accounts. */
export interface Service {
  readonly url: string;
  /** Stops it from responding. */
  fallSilent(silent: boolean): void;
  stop(): Promise<void>;
  /** Starts it again, at the same port. */
  start(): Promise<void>;
}

const accounts = [
  { number: 1, name: "ann", password: "ann-password", teams: ["Release Engineering", "Everybody"] },
  { number: 2, name: "ben", password: "ben-password", teams: ["Everybody"] },
];

export async function startService(key: string): Promise<Service> {
  let silent = false;
  const server = createServer(async (request, response) => {
    if (silent) return;
    if (request.headers["x-acme-key"] !== key) return void response.writeHead(401).end();
    const login: { username?: string; password?: string } = JSON.parse(await text(request));
    if (request.url === "/ping") return void response.end();
    const account = accounts.find(({ name }) => name === login.username);
    if (account === undefined) return void response.writeHead(404).end();
    if (account.password !== login.password) return void response.writeHead(403).end();
    response.end(JSON.stringify({ number: account.number, name: account.name, teams: account.teams }));
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the service listens on no port");
  const { port } = address;
  return {
    url: `http://127.0.0.1:${port}`,
    fallSilent: (now) => {
      silent = now;
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
    start: () => listen(port),
  };
}
