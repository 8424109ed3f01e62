import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setPassword } from "@registry-gate/auth-htpasswd";
import { startGateway } from "registry-gate";
import { writeCertificates } from "./certificate.ts";
import { guide } from "./guide.ts";
import { type DemoRegistry, runningRegistry, startRegistry } from "./registries.ts";

const usage = `usage: npx --yes pnpm@12 demo [--upstream URL] [--port PORT] [--plain]

  --upstream URL   a registry that runs already; otherwise one on this machine, or the embedded one, is started
  --port PORT      where to listen on localhost; 5043 by default, 0 for any free one
  --plain          plain HTTP instead of TLS with a generated certificate
  --help           this
`;

interface Choices {
  readonly upstream: string | undefined;
  readonly port: string;
  readonly plain: boolean;
}

/** What is asked for; `undefined` where there is nothing to start. */
function choices(): Choices | undefined {
  try {
    const { values } = parseArgs({
      options: {
        upstream: { type: "string" },
        port: { type: "string", default: "5043" },
        plain: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      return undefined;
    }
    return { upstream: values.upstream, port: values.port, plain: values.plain === true };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Writes what a gate needs: a configuration, users, a group, and a certificate. */
async function writeConfiguration(directory: string, upstream: string, { port, plain }: Choices): Promise<string> {
  await setPassword(join(directory, "htpasswd"), "testuser", "testpassword");
  await setPassword(join(directory, "htpasswd"), "reader", "readerpassword");
  await writeFile(join(directory, "groups"), "pushers: testuser\n");
  if (!plain) await writeCertificates(directory);
  const file = join(directory, "registry-gate.yaml");
  await writeFile(
    file,
    `listen:
  address: 127.0.0.1:${port}
${plain ? "" : "  tls: { certificate: domain.crt, key: domain.key }\n"}upstream:
  url: ${JSON.stringify(upstream)}
auth:
  realm: Registry realm
  backends:
    - { type: htpasswd, file: htpasswd, groupFile: groups }
access:
  - { subjects: [authenticated], repositories: ["**"], actions: [pull] }
  - { subjects: ["group:pushers"], repositories: ["**"], actions: [pull, push] }
`,
  );
  return file;
}

/** Resolves when the demo is to end. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

async function run(chosen: Choices): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-demo-"));
  let registry: DemoRegistry | undefined;
  try {
    const end = interrupted();
    registry = await (chosen.upstream === undefined ? startRegistry(directory) : runningRegistry(chosen.upstream));
    const gateway = await startGateway(await writeConfiguration(directory, registry.url, chosen));
    const port = Number(gateway.address.slice(gateway.address.lastIndexOf(":") + 1));
    process.stdout.write(guide({ port, secure: gateway.secure, directory, registry: registry.description }));
    await end;
    await gateway.close(2000);
  } finally {
    await registry?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const chosen = choices();
if (chosen !== undefined) {
  await run(chosen).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
