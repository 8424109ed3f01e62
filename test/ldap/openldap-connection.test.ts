import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LdapOptions, ldapBackend } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { openBackend, outcomeOf, signIn } from "./login.ts";
import { base, count, openldap } from "./openldap.ts";

let slapd: Slapd;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd();
  plain = openldap(slapd);
});
afterAll(() => slapd?.close());

describe("a connection", () => {
  it("can be made by StartTLS", async () => {
    const { backend } = await openBackend({ ...plain, urls: [slapd.url], startTLS: true });
    const said = await slapd.logOf(async () => {
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
      expect(await outcomeOf(signIn(backend, "alice", "x"))).toBe("rejected: wrong password");
    });
    expect(said).toContain("STARTTLS");
    expect(said).toContain("TLS established");
  });

  it("is in clear text only where that is allowed", async () => {
    await expect(ldapBackend({ ...plain, urls: [slapd.url] })).rejects.toThrow("sends passwords in clear text");
    const { caCert: _, ...rest } = plain;
    const { backend } = await openBackend({ ...rest, urls: [slapd.url], allowCleartext: true });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it.each(["ldaps", "startTLS"])("over %s is refused where the certificate is not as expected", async (way) => {
    const urls = [way === "ldaps" ? slapd.tlsUrl : slapd.url];
    const startTLS = way !== "ldaps";
    const { caCert: _, ...untrusted } = plain;
    const said = await slapd.logOf(async () => {
      for (const options of [
        { ...untrusted, urls, startTLS },
        { ...plain, urls, startTLS, serverName: "ldap.example.org" },
      ]) {
        const { backend } = await openBackend(options);
        expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*certificate/);
      }
    });
    expect(said).toContain("ACCEPT");
    expect(said).not.toContain("BIND");
    const { backend } = await openBackend({ ...plain, urls, startTLS, serverName: "localhost" });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("shows a client's certificate to a server that demands one", async () => {
    const strict = await startSlapd({ global: ["TLSVerifyClient demand"] });
    try {
      const options = { ...plain, urls: [strict.tlsUrl], caCert: strict.authority };
      const without = await openBackend(options);
      expect(await outcomeOf(signIn(without.backend, "alice", "alicepw"))).toMatch(/^unavailable: /);
      const shown = { ...options, clientCert: strict.clientCertificate, clientKey: strict.clientKey };
      const { backend } = await openBackend(shown);
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    } finally {
      await strict.close();
    }
  });

  it("keeps the last client's certificate where a key of another kind takes the place of its own", async () => {
    const strict = await startSlapd({ global: ["TLSVerifyClient demand"] });
    onTestFinished(() => strict.close());
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-client-key-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const rsa = await makeCertificate(directory, [], "rsa");
    const clientKey = join(directory, "client.key");
    await copyFile(strict.clientKey, clientKey);
    const { backend, lines } = await openBackend({
      ...plain,
      urls: [strict.tlsUrl],
      caCert: strict.authority,
      clientCert: strict.clientCertificate,
      clientKey,
      pool: { size: 1, idle: 1 },
    });
    await copyFile(rsa.key, clientKey);
    const errors = (): unknown[] => lines.flatMap(({ level, fields }) => (level === "error" ? [fields] : []));
    const reason = "does not belong to the certificate: the key is RSA, and that of the certificate EC";
    await expect.poll(errors, { timeout: 10_000 }).toMatchObject([{ file: clientKey, reason }]);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("trusts another authority as soon as that is in the file, and keeps the last good one", async () => {
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-authority-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const other = await makeCertificate(directory);
    const caCert = join(directory, "ca.pem");
    await copyFile(other.authority, caCert);
    const { backend, lines } = await openBackend({ ...plain, caCert, pool: { size: 1, idle: 1 } });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*(?:certificate|signature)/);
    await copyFile(slapd.authority, caCert);
    const outcome = (): Promise<string> => outcomeOf(signIn(backend, "alice", "alicepw"));
    await expect.poll(outcome, { timeout: 10_000, interval: 50 }).toBe("authenticated");
    await writeFile(caCert, "no certificate\n");
    await expect
      .poll(() => lines.some(({ level, fields }) => level === "error" && fields.file === caCert), { timeout: 10_000 })
      .toBe(true);
    expect(await outcome()).toBe("authenticated");
  });

  it("is not given by a server that wants more security than there is", async () => {
    const strict = await startSlapd({ global: ["security simple_bind=128", "localSSF 256"] });
    try {
      const { backend } = await openBackend({ ...plain, urls: [strict.url], allowCleartext: true });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(
        /^unavailable: .*service account rejected: confidentiality required \(13\)/,
      );
    } finally {
      await strict.close();
    }
  });
});

describe("the service account", () => {
  it("that is refused makes the backend unavailable, and is left alone for a while", async () => {
    const { backend, lines } = await openBackend({ ...plain, bindPassword: "wrong" });
    const said = await slapd.logOf(async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => outcomeOf(signIn(backend, "alice", "alicepw"))),
      );
      expect(new Set(outcomes)).toEqual(
        new Set(["unavailable: ldap: service account rejected: invalid credentials (49)"]),
      );
      for (let login = 0; login < 10; login++) await outcomeOf(signIn(backend, "alice", "alicepw"));
    });
    expect(count(said, / BIND dn="cn=gate/g)).toBeLessThanOrEqual(8);
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
    await expect(backend.check?.(AbortSignal.timeout(5000))).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  });

  it("may change its password in the file", async () => {
    const file = join(slapd.authority, "..", "password");
    await writeFile(file, "wrong\n");
    const { bindPassword: _, ...rest } = plain;
    const { backend } = await openBackend({ ...rest, bindPasswordFile: file });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: /);
    // As an editor of Windows saves it.
    await writeFile(file, "\uFEFFgatepw\r\n");
    await expect
      .poll(() => outcomeOf(signIn(backend, "alice", "alicepw")), { timeout: 10_000, interval: 50 })
      .toBe("authenticated");
    await backend.check?.(AbortSignal.timeout(5000));
  });

  it("that may read nothing makes the backend unavailable, and no user unknown", async () => {
    const { bindDN: _, bindPassword: __, ...anonymous } = plain;
    const { backend } = await openBackend(anonymous);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*searchBase does not exist/);
    const { backend: astray } = await openBackend({ ...plain, searchBase: `ou=nowhere,${base}` });
    expect(await outcomeOf(signIn(astray, "alice", "alicepw"))).toMatch(/^unavailable: .*searchBase does not exist/);
  });
});
