import { readFile } from "node:fs/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { chooseProxy } from "@registry-gate/auth-kit";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { type ConnectProxy, startConnectProxy } from "./connect-proxy.ts";
import { scratchDirectory, until } from "./fixtures.ts";
import {
  bearing,
  type KeyServer,
  keyServer,
  openJwt,
  type SigningKey,
  secureKeyServer,
  signingKey,
  tokenOf,
} from "./issuer.ts";

const reasonOf = (backend: AuthBackend, token: string): Promise<unknown> =>
  bearing(backend, token).then(
    ({ status }) => status,
    (error: Error) => error.message,
  );

describe("the proxy that the environment names", () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ["https://idp.example.com/jwks", {}, undefined],
    ["https://idp.example.com/jwks", { HTTPS_PROXY: "http://proxy:3128" }, "http://proxy:3128/"],
    ["https://idp.example.com/jwks", { https_proxy: "http://small:1", HTTPS_PROXY: "http://big:1" }, "http://small:1/"],
    ["https://idp.example.com/jwks", { HTTPS_PROXY: "proxy:3128" }, "http://proxy:3128/"],
    ["https://idp.example.com/jwks", { HTTPS_PROXY: "https://u:p@proxy:3128" }, "https://u:p@proxy:3128/"],
    ["https://idp.example.com/jwks", { HTTP_PROXY: "http://proxy:3128", http_proxy: "http://proxy:1" }, undefined],
    ["https://idp.example.com/jwks", { HTTPS_PROXY: "" }, undefined],
    // What comes over plain HTTP stays on this machine.
    ["http://127.0.0.1:8080/jwks", { HTTPS_PROXY: "http://proxy:1", HTTP_PROXY: "http://proxy:1" }, undefined],
  ])("for %s in %j is %s", (url, environment, proxy) => {
    expect(chooseProxy(undefined, environment)(new URL(url))?.href).toBe(proxy);
  });

  test.each<[string, string, boolean]>([
    ["*", "idp.example.com", false],
    ["idp.example.com", "idp.example.com", false],
    ["example.com", "idp.example.com", false],
    ["IDP.example.com", "idp.example.com", false],
    [".example.com", "idp.example.com", false],
    ["*.example.com", "idp.example.com", false],
    [".example.com", "example.com", true],
    ["ample.com", "example.com", true],
    ["idp.example.com", "example.com", true],
    ["localhost, idp.example.com", "idp.example.com", false],
    ["localhost idp.example.com", "idp.example.com", false],
    ["idp.example.com:443", "idp.example.com", false],
    ["idp.example.com:8443", "idp.example.com", true],
    ["idp.example.com:8443", "idp.example.com:8443", false],
    ["idp.example.com.", "idp.example.com", false],
    ["10.0.0.0/8", "10.1.2.3", false],
    ["10.0.0.0/8", "11.1.2.3", true],
    ["10.1.2.3", "10.1.2.3", false],
    ["10.1.2.3:443", "10.1.2.3:443", false],
    ["1.2.3", "10.1.2.3", true],
    ["10.0.0.0/33", "10.1.2.3", true],
    ["2001:db8::1", "[2001:db8:0::1]", false],
    ["[2001:db8::1]:8443", "[2001:db8::1]:8443", false],
    ["[2001:db8::1]:8443", "[2001:db8::1]", true],
    ["2001:db8::/32", "[2001:db8::1]", false],
    ["2001:db8::/32", "10.1.2.3", true],
    [",, ,", "idp.example.com", true],
    ["://", "idp.example.com", true],
  ])("is left out by NO_PROXY as curl and Go do: %j, for %s: %j", (list, host, proxied) => {
    const environment = { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: list };
    expect(chooseProxy(undefined, environment)(new URL(`https://${host}/jwks`)) !== undefined).toBe(proxied);
  });

  test("is an error in words where it is none, and not passed over", () => {
    for (const proxy of ["socks5://proxy:1080", "http://[", "http://proxy/path"]) {
      expect(() => chooseProxy(undefined, { HTTPS_PROXY: proxy })(new URL("https://idp.example.com/"))).toThrow(
        /^the environment variable HTTPS_PROXY must be/,
      );
    }
  });
});

describe("the keys of an issuer behind a proxy", () => {
  let key: SigningKey;
  let token: string;
  let identity: { cert: Buffer; key: Buffer };
  let directory: string;
  beforeAll(async () => {
    key = await signingKey("k1");
    token = await tokenOf(key);
    const files = await makeCertificate();
    directory = files.authority.slice(0, files.authority.lastIndexOf("/"));
    identity = { cert: await readFile(files.certificate), key: await readFile(files.key) };
  });

  interface Started {
    readonly server: KeyServer;
    readonly proxy: ConnectProxy;
    /** Of the keys, by the name on the server's certificate. */
    readonly jwks: string;
  }

  async function started(proxyIdentity?: typeof identity): Promise<Started> {
    const server = await secureKeyServer(identity, key);
    return {
      server,
      proxy: await startConnectProxy(proxyIdentity),
      jwks: server.url.replace("127.0.0.1", "localhost"),
    };
  }

  const open = async (options: object): Promise<AuthBackend> =>
    (await openJwt({ caCert: "authority.crt", jwksCooldown: 0, ...options }, directory)).backend;

  test("are fetched through the one that the option names, with its login, and with the server's own certificate", async () => {
    const { server, proxy, jwks } = await started();
    const backend = await open({ jwks, proxy: `http://gate:s%20cret@${proxy.host}` });
    expect(await reasonOf(backend, token)).toBe("authenticated");
    expect(proxy.asked()).toEqual([{ target: new URL(jwks).host, login: "gate:s cret" }]);
    expect(server.requests()).toBe(1);
    const strangers = await openJwt({ jwks, proxy: `http://${proxy.host}` });
    expect(await reasonOf(strangers.backend, token)).toContain(
      `cannot be reached through the proxy ${proxy.host} (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    );
  });

  test("are fetched through one that is reached over TLS", async () => {
    const { proxy, jwks } = await started(identity);
    const backend = await open({ jwks, proxy: `https://${proxy.host.replace("127.0.0.1", "localhost")}` });
    expect(await reasonOf(backend, token)).toBe("authenticated");
    expect(proxy.asked()).toHaveLength(1);
  });

  test("are fetched through the one of the environment, unless NO_PROXY or the option says otherwise", async () => {
    const { proxy, jwks } = await started();
    vi.stubEnv("https_proxy", `http://${proxy.host}`);
    vi.stubEnv("no_proxy", "");
    vi.stubEnv("NO_PROXY", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await reasonOf(await open({ jwks }), token)).toBe("authenticated");
    expect(proxy.asked()).toHaveLength(1);
    expect(await reasonOf(await open({ jwks, proxy: false }), token)).toBe("authenticated");
    vi.stubEnv("no_proxy", "localhost");
    expect(await reasonOf(await open({ jwks }), token)).toBe("authenticated");
    expect(proxy.asked()).toHaveLength(1);
  });

  test.each([403, 407] as const)(
    "are unavailable where it answers %i, which is not the server's response",
    async (status) => {
      const { server, proxy, jwks } = await started();
      proxy.behave(status);
      const backend = await open({ keyUrl: `${jwks}/{kid}`, proxy: `http://gate:canary@${proxy.host}` });
      const reason = await reasonOf(backend, token);
      expect(reason).toContain(`the proxy ${proxy.host} answered ${status} when asked for ${new URL(jwks).host}`);
      expect(reason).not.toContain("canary");
      expect(server.requests()).toBe(0);
    },
  );

  test("are unavailable where it is silent, and no connection to it is left behind", async () => {
    const { proxy, jwks } = await started();
    proxy.behave("silent");
    const backend = await open({ jwks, proxy: `http://${proxy.host}`, jwksTimeout: "300ms" });
    expect(await reasonOf(backend, token)).toContain(`did not respond through the proxy ${proxy.host} within 300 ms`);
    expect(proxy.asked()).toHaveLength(1);
    await until(async () => expect(await proxy.connections()).toBe(0));
  });

  test("are unavailable where it is not there", async () => {
    const { jwks } = await started();
    const backend = await open({ jwks, proxy: "http://gate:canary@127.0.0.1:1" });
    const reason = await reasonOf(backend, token);
    expect(reason).toContain("cannot be reached through the proxy 127.0.0.1:1 (ECONNREFUSED)");
    expect(reason).not.toContain("canary");
  });

  test("on this machine may come over plain HTTP through a proxy on this machine", async () => {
    const server = await keyServer(key);
    const proxy = await startConnectProxy();
    const { backend } = await openJwt({ jwks: server.url, proxy: `http://${proxy.host}` }, await scratchDirectory());
    expect(await reasonOf(backend, token)).toBe("authenticated");
    expect(proxy.asked()).toHaveLength(1);
  });
});
