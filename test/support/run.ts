import { type ExecFileException, type ExecFileOptions, execFile, spawn } from "node:child_process";

/** Where Debian has the programs that the tests need. */
const debianPackages: Readonly<Record<string, string>> = {
  curl: "curl",
  docker: "docker.io",
  htpasswd: "apache2-utils",
  ldapmodify: "ldap-utils",
  ldapsearch: "ldap-utils",
  mount: "mount",
  openssl: "openssl",
  "samba-tool": "samba-ad-dc",
  skopeo: "skopeo",
  slowhttptest: "slowhttptest",
  sslscan: "sslscan",
  tar: "tar",
  truncate: "coreutils",
  unshare: "util-linux",
  wrk: "wrk",
};

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to its standard output.
 * @throws {Error} with everything it wrote, when it could not be started, failed, or took longer than
 * `options.timeout` milliseconds (default five minutes).
 */
export function run(program: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const settings = { timeout: 300_000, maxBuffer: 64 * 1024 * 1024, ...options, encoding: "utf8" as const };
  execFile(program, args, settings, (error, stdout, stderr) => {
    if (error === null) return resolve(stdout);
    reject(
      new Error(`${[program, ...args].join(" ")}: ${reasonOf(error, program)}\n${stdout}${stderr}`, { cause: error }),
    );
  });
  return promise;
}

/** What a command came to. */
export interface CommandResult {
  /** `null` where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Written to its standard input. */
  readonly input?: string | Uint8Array;
  /** The current directory. */
  readonly directory?: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The numbers of the user and the group that it runs as. */
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Runs a program to its end, whatever that is.
 *
 * @throws {Error} when it could not be started.
 */
export function runCommand(
  program: string,
  parameters: readonly string[],
  { input = "", directory, environment, uid, gid }: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(program, [...parameters], { cwd: directory, env: { ...process.env, ...environment }, uid, gid });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => {
    stdout += piece.toString();
  });
  child.stderr.on("data", (piece: Buffer) => {
    stderr += piece.toString();
  });
  // A program that ends early does not read what it is given.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${program}: ${reasonOf(error, program)}`, { cause: error })));
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

function reasonOf(error: NodeJS.ErrnoException | ExecFileException, program: string): string {
  const debianPackage = error.code === "ENOENT" ? debianPackages[program] : undefined;
  return debianPackage === undefined ? error.message : `is missing: install the Debian package ${debianPackage}`;
}
