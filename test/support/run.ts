import { type ExecFileOptions, execFile } from "node:child_process";

/** Where Debian has the programs that the tests need. */
const debianPackages: Readonly<Record<string, string>> = {
  curl: "curl",
  htpasswd: "apache2-utils",
  ldapmodify: "ldap-utils",
  openssl: "openssl",
  "samba-tool": "samba",
  tar: "tar",
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
    const debianPackage = error.code === "ENOENT" ? debianPackages[program] : undefined;
    const reason =
      debianPackage === undefined ? error.message : `is missing: install the Debian package ${debianPackage}`;
    reject(new Error(`${[program, ...args].join(" ")}: ${reason}\n${stdout}${stderr}`, { cause: error }));
  });
  return promise;
}
