import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { type ChainFiles, makeCertificateChain } from "../support/certificate-chain.ts";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { runGate } from "./run-gate.ts";

let directory: string;
let chain: ChainFiles;

const ldap = {
  type: "ldap",
  urls: ["ldaps://127.0.0.1"],
  searchBase: "dc=example,dc=com",
  groups: { searchBase: "dc=example,dc=com" },
};
const good = {
  listen: { address: "127.0.0.1:0" },
  upstream: { url: "http://127.0.0.1:1" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] as object[] },
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "key-pair-"));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "secret" }));
  for (const [name, type] of [
    ["ec", "ec"],
    ["other", "ec"],
    ["rsa", "rsa"],
  ] as const) {
    const { certificate, key } = await makeCertificate(directory, [], type);
    await copyFile(certificate, join(directory, `${name}.crt`));
    await copyFile(key, join(directory, `${name}.key`));
  }
  const openssl = (...parameters: string[]): Promise<string> => run("openssl", parameters, { cwd: directory });
  await openssl("req", "-new", "-key", "ec.key", "-subj", "/CN=localhost", "-out", "ec.csr");
  await openssl("x509", "-req", "-in", "ec.csr", "-signkey", "ec.key", "-days", "-1", "-out", "expired.crt");
  // Of the commands of OpenSSL 3.0, this one alone takes the day of the beginning.
  const database =
    "[ca]\ndefault_ca=one\n[one]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\n";
  await writeFile(join(directory, "ca.conf"), `${database}commonName=supplied\n`);
  await writeFile(join(directory, "index"), "");
  const selfSigned = ["-selfsign", "-batch", "-notext", "-in", "ec.csr", "-keyfile", "ec.key", "-out", "future.crt"];
  await openssl(
    "ca",
    "-config",
    "ca.conf",
    ...selfSigned,
    "-startdate",
    "20990101000000Z",
    "-enddate",
    "20991231000000Z",
  );
  await mkdir(join(directory, "chain"));
  chain = await makeCertificateChain(join(directory, "chain"));
  await copyFile(join(directory, "chain", "server.key"), join(directory, "chain.key"));
  const { server, intermediate, root } = chain;
  await writeFile(join(directory, "ordered.crt"), server + intermediate + root);
  await writeFile(join(directory, "marked.crt"), `\uFEFF${server}\n# the authority\n${intermediate}`);
  await writeFile(join(directory, "swapped.crt"), server + root + intermediate);
  await writeFile(join(directory, "gap.crt"), server + root);
  await writeFile(join(directory, "leaf-last.crt"), root + intermediate + server);
  await writeFile(join(directory, "both.pem"), server + (await readFile(join(directory, "chain.key"), "utf8")), {
    mode: 0o600,
  });
});

afterAll(() => rm(directory, { recursive: true, force: true }));

let files = 0;

/** Checks a configuration with a certificate and a key for the listener, and with the same for an LDAP client. */
async function checkPair(
  certificate: string,
  key: string,
): Promise<{ listener: string; client: string; code: number | null }> {
  const check = async (configuration: object) => {
    const name = `gate-${++files}.yaml`;
    await writeFile(join(directory, name), JSON.stringify(configuration));
    const { code, stderr } = await runGate(["check", "--config", name], { directory });
    return { code, stderr: stderr.replaceAll(`${name}: `, "").replaceAll(`${directory}/`, "") };
  };
  const listener = await check({ ...good, listen: { ...good.listen, tls: { certificate, key } } });
  const client = await check({ ...good, auth: { backends: [{ ...ldap, clientCert: certificate, clientKey: key }] } });
  expect(client.code).toBe(listener.code);
  return { listener: listener.stderr, client: client.stderr, code: listener.code };
}

describe("a certificate and a key", () => {
  test.each([
    [
      "of different kinds",
      "ec.crt",
      "rsa.key",
      "does not belong to the certificate: the key is RSA, and that of the certificate EC",
    ],
    [
      "of different kinds the other way round",
      "rsa.crt",
      "ec.key",
      "does not belong to the certificate: the key is EC, and that of the certificate RSA",
    ],
    ["of different pairs", "ec.crt", "other.key", "does not belong to the certificate"],
    [
      "whose certificate is not the first of the file",
      "leaf-last.crt",
      "chain.key",
      "does not belong to the first certificate of the file, but to number 3: put that one first",
    ],
  ])("%s are refused", async (_, certificate, key, message) => {
    const { code, listener, client } = await checkPair(certificate, key);
    expect({ code, listener, client }).toEqual({
      code: 1,
      listener: `listen.tls.key: ${message}\n`,
      client: `auth.backends[0].clientKey: ${message}: ${key}\n`,
    });
  });

  test("whose chain is in the wrong order are refused", async () => {
    const { code, listener, client } = await checkPair("swapped.crt", "chain.key");
    const message =
      "the certificates are in the wrong order: number 1 is issued by number 3; " +
      "each certificate is to be followed by the one that issued it";
    expect({ code, listener, client }).toEqual({
      code: 1,
      listener: `listen.tls.certificate: ${message}\n`,
      client: `auth.backends[0].clientCert: ${message}: swapped.crt\n`,
    });
  });

  test.each([
    ["with the chain in its order", "ordered.crt", "chain.key"],
    ["after a byte order mark", "marked.crt", "chain.key"],
    ["in one file", "both.pem", "both.pem"],
    ["of RSA", "rsa.crt", "rsa.key"],
  ])("%s are taken", async (_, certificate, key) => {
    expect(await checkPair(certificate, key)).toEqual({ code: 0, listener: "", client: "" });
  });

  test.each([
    ["that has expired", "expired.crt", "ec.key", /^has expired on 20\d\d-\S+Z$/],
    ["that is not valid yet", "future.crt", "ec.key", /^is not valid before 2099-01-01T00:00:00\.000Z$/],
    [
      "whose chain has a gap",
      "gap.crt",
      "chain.key",
      /^certificate 1 of the file is not issued by certificate 2: each certificate is to be followed by the one that issued it$/,
    ],
  ])("%s are warned of", async (_, certificate, key, message) => {
    const { code, listener, client } = await checkPair(certificate, key);
    expect(code).toBe(0);
    const [first = ""] = listener.split("\n");
    expect(first.replace("warning: listen.tls.certificate: ", "")).toMatch(message);
    expect(client.trimEnd().replace(`warning: ${certificate}: `, "")).toMatch(message);
  });
});

test("a pair of different kinds is refused on reload too, and the old one stays", async () => {
  const content = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
  const gate = await startGate({
    configuration: { ...good, listen: { ...good.listen, tls: { certificate: "a.crt", key: "a.key" } } },
    files: { htpasswd: await content("htpasswd"), "a.crt": await content("ec.crt"), "a.key": await content("ec.key") },
  });
  try {
    await gate.put("a.key", await content("rsa.key"));
    const refused = await gate.logged(({ event }) => event === "certificate refused");
    expect(refused.faults).toEqual([
      "listen.tls.key: does not belong to the certificate: the key is RSA, and that of the certificate EC",
    ]);
    await gate.put("a.crt", await content("rsa.crt"));
    await gate.logged(({ event }) => event === "certificate reloaded");
  } finally {
    await gate.close();
  }
});
