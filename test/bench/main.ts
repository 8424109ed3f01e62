import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { makeCertificate } from "../support/certificate.ts";
import { downloads, uploads } from "./blobs.ts";
import { ldapLogins } from "./ldap.ts";
import { memory } from "./memory.ts";
import { observing } from "./observing.ts";
import { reads } from "./reads.ts";
import { realReads, realUploads } from "./real-registry.ts";
import { rememberedLogins } from "./remembered-logins.ts";
import { type Findings, formatFindings, isKept } from "./report.ts";
import { quick, type Scale, whole } from "./scale.ts";
import { slowClients } from "./slow-clients.ts";
import { bearerReads, tokenIssuance } from "./tokens.ts";

const parts: Readonly<Record<string, readonly ((scale: Scale) => Promise<Findings>)[]>> = {
  reads: [(scale) => reads(scale, false), (scale) => reads(scale, true)],
  downloads: [(scale) => downloads(scale, false), (scale) => downloads(scale, true)],
  uploads: [(scale) => uploads(scale, false), (scale) => uploads(scale, true)],
  memory: [memory],
  registry: [realReads, realUploads],
  ldap: [ldapLogins, rememberedLogins],
  tokens: [bearerReads, tokenIssuance],
  observing: [observing],
  "slow-clients": [slowClients],
};

const usage = `usage: npx --yes pnpm@12 bench [--quick] [PART ...]

Compares the gate with nginx by Docker's recipe, side by side on this machine: read the ratios.
Ends with 1 where one of the limits is missed.

  --quick  fewer rounds and smaller bodies
  PART     of ${Object.keys(parts).join(", ")}; by default all
`;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const chosen = positionals.length === 0 ? Object.keys(parts) : positionals;
  const unknown = chosen.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0) throw new TypeError(`no such part: ${unknown.join(", ")}`);

  const certificate = await makeCertificate();
  let missed = 0;
  try {
    for (const name of chosen) {
      for (const part of parts[name] ?? []) {
        const findings = await part({ ...(values.quick === true ? quick : whole), certificate });
        process.stdout.write(`${formatFindings(findings)}\n`);
        missed += findings.limits.filter((limit) => !isKept(limit)).length;
      }
    }
  } finally {
    await rm(dirname(certificate.certificate), { recursive: true, force: true });
  }
  process.stdout.write(missed === 0 ? "every limit is kept\n" : `limits missed: ${missed}\n`);
  return missed === 0 ? 0 : 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
