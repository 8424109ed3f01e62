import { readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { importFile, type Kind, kinds } from "../import/import-file.ts";
import { ImportError, type Imported, type Note, type Source } from "../import/imported.ts";
import { writeYaml } from "../import/write-yaml.ts";
import { printable } from "../printable.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";

/** What stands for it in the place of a file. */
const standardInput = "-";

export const importCommand: Command = {
  name: "import",
  synopsis: "FILE [--from nginx|apache|docker_auth] [--upstream URL] [--htpasswd FILE]",
  summary: "write our configuration from that of nginx, Apache or docker_auth",
  details: [
    "  --from KIND      nginx, apache or docker_auth; by default the content tells",
    "  --upstream URL   the registry, where the source does not name it",
    "  --htpasswd FILE  where the users of docker_auth are written, with mode 0600; by default they are shown as comments",
    "",
    "Writes YAML to standard output, and each line that could not be carried over, by number, to standard error. Files that",
    "are included are read too. FILE may be - for standard input. What is in doubt is never allowed: a right that no rule",
    "says exactly is left out.",
    "",
    "  registry-gate import /etc/nginx/nginx.conf > registry-gate.yaml",
    "  registry-gate check --config registry-gate.yaml",
    "",
    "Exit code: 0, or 1 if there is no configuration to write.",
  ],
  async run(parameters) {
    const { file, kind, upstream, passwordFile } = parse(parameters);
    try {
      const source = read(file);
      const imported = importFile(source, kind, { upstream, passwordFile });
      process.stderr.write(notesOf(imported.notes));
      process.stdout.write(
        writeYaml(withUsers(imported, passwordFile), `Imported from ${source.name} by registry-gate import.`),
      );
      return 0;
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      process.stderr.write(`registry-gate: import: ${printable(error.message)}\n`);
      return 1;
    }
  },
};

function read(file: string): Source {
  if (file === standardInput)
    return { name: "standard input", directory: process.cwd(), text: readFileSync(0, "utf8") };
  return { name: file, directory: dirname(resolve(file)), text: readFileSync(file, "utf8") };
}

/** In the order of the lines, each once. */
function notesOf(notes: readonly Note[]): string {
  const ordered = [...notes].sort((one, other) => one.line - other.line);
  const lines = ordered.map(({ file, line, text, reason }) => `${printable(`${file}:${line}: ${text}: ${reason}`)}\n`);
  return [...new Set(lines)].join("");
}

/** Writes the password file, or says which lines belong there. */
function withUsers(imported: Imported, passwordFile: string | undefined): Imported {
  const { passwords } = imported;
  if (passwords === undefined) return imported;
  if (passwordFile === undefined) {
    const comments = [...imported.comments, "The file htpasswd has to hold:", ...passwords.map((line) => `  ${line}`)];
    return { ...imported, comments };
  }
  // Never over a file that is there.
  writeFileSync(passwordFile, passwords.map((line) => `${line}\n`).join(""), { mode: 0o600, flag: "wx" });
  return imported;
}

function parse(parameters: readonly string[]): {
  file: string;
  kind: Kind | undefined;
  upstream: string | undefined;
  passwordFile: string | undefined;
} {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: { from: { type: "string" }, upstream: { type: "string" }, htpasswd: { type: "string" } },
  });
  const [file, surplus] = positionals;
  if (file === undefined) throw new UsageError("FILE is required");
  if (surplus !== undefined) throw new UsageError(`unexpected ${surplus}`);
  const kind = kinds.find((known) => known === values.from);
  if (values.from !== undefined && kind === undefined) throw new UsageError(`--from takes ${kinds.join(", ")}`);
  return { file, kind, upstream: values.upstream, passwordFile: values.htpasswd };
}
