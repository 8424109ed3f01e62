import { readFile } from "node:fs/promises";
import { InvalidOptionsError } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import { type AddKeyOptions, addKey, openKeys, type TokenAlgorithm, tokenAlgorithms } from "@registry-gate/token";
import { oneLine } from "../one-line.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";

const options = {
  "remove-older-than": { type: "string" },
  algorithm: { type: "string" },
  "key-id": { type: "string" },
  pem: { type: "string" },
  public: { type: "boolean" },
} as const;

export const keys: Command = {
  name: "keys",
  synopsis: "FILE [--remove-older-than AGE] [--algorithm ALG] [--pem KEY] [--key-id FORM] [--public]",
  summary: "add a signing key to a file of keys",
  details: [
    "FILE is a JWK set, as the configuration's keys.file names it. It is created where it is missing, with mode 0600, and",
    "replaced in one step otherwise, its mode kept; a running gate takes the change up by itself. The new key signs after",
    "10 s, when all replicas know it. Older keys stay, so that what they have signed is still good:",
    "",
    "  registry-gate keys keys.json --remove-older-than 30d",
    "",
    "  --remove-older-than AGE  removes keys that were made longer ago",
    "  --algorithm ALG          EdDSA (the default), ES256 or RS256; older registries verify the latter two alone",
    "  --pem KEY                takes over the private key in this file of PEM, in place of making one",
    "  --key-id FORM            names the key by its thumbprint (the default), or by libtrust, as docker-registry 2 does",
    "  --public                 prints the public keys, for a registry that verifies tokens itself; no file is changed",
    "",
    "Exit code: 0, or 1 with one line for each thing that is wrong.",
  ],
  async run(parameters) {
    const { file, publicOnly, pemFile, ...chosen } = parse(parameters);
    try {
      if (publicOnly) {
        process.stdout.write(`${JSON.stringify(await publicKeys(file), undefined, 2)}\n`);
        return 0;
      }
      const pem = pemFile === undefined ? {} : { pem: await readPem(pemFile) };
      const { kid, created, removed, total } = await addKey(file, { ...chosen, ...pem });
      const counts = created ? "created" : `${total} ${total === 1 ? "key" : "keys"}, ${removed} removed`;
      process.stdout.write(`${file}: added key ${kid} (${counts})\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      for (const { path, message } of error.faults) {
        const where = path[0] === "pem" ? pemFile : path[0] === "file" ? file : "--remove-older-than";
        process.stderr.write(`${where}: ${message}\n`);
      }
      return 1;
    }
  },
};

interface Parameters extends Omit<AddKeyOptions, "pem"> {
  readonly file: string;
  readonly publicOnly: boolean;
  readonly pemFile: string | undefined;
}

function parse(parameters: readonly string[]): Parameters {
  const { values, positionals } = parseCommandLine({ args: [...parameters], options, allowPositionals: true });
  const [file, surplus] = positionals;
  if (file === undefined) throw new UsageError("FILE is required");
  if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
  const { "remove-older-than": removeOlderThan, algorithm, "key-id": keyId, pem } = values;
  if (algorithm !== undefined && !isAlgorithm(algorithm)) {
    throw new UsageError(`--algorithm must be one of ${tokenAlgorithms.join(", ")}`);
  }
  if (algorithm !== undefined && pem !== undefined) {
    throw new UsageError("--algorithm and --pem exclude each other: the key says its algorithm");
  }
  if (keyId !== undefined && keyId !== "thumbprint" && keyId !== "libtrust") {
    throw new UsageError("--key-id must be thumbprint or libtrust");
  }
  return {
    file,
    publicOnly: values.public === true,
    pemFile: pem,
    ...(removeOlderThan !== undefined && { removeOlderThan }),
    ...(algorithm !== undefined && { algorithm }),
    ...(keyId !== undefined && { keyId }),
  };
}

function isAlgorithm(name: string): name is TokenAlgorithm {
  return tokenAlgorithms.some((known) => known === name);
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new InvalidOptionsError([{ path: ["pem"], message: `cannot be read: ${oneLine(error)}` }], { cause: error });
  }
}

async function publicKeys(file: string): Promise<object> {
  const warn = (): void => {};
  const opened = await openKeys({ file }, { baseDirectory: process.cwd(), log: silentLog, warn });
  try {
    return await opened.publicSet();
  } finally {
    opened.close();
  }
}
