import type { Logger } from "@registry-gate/auth";
import { type FollowedValue, followFile, InvalidFileError, parseSecret, readSecretText } from "@registry-gate/auth-kit";
import type { TokenKeys } from "@registry-gate/token";
import type { Path } from "../config/path.ts";
import type { PortalConfiguration } from "../config/sections/portal.ts";

/** The secrets of a portal, as their files hold them now. */
export interface PortalFiles {
  /** Those that sign cookies, the newest first. */
  secrets(): readonly string[];
  /** Of the client at the provider of OpenID Connect; undefined where there is none. */
  clientSecret(): string | undefined;
  /** The PEM text of the authority that clients have to trust; undefined where no file is named. */
  authority(): string | undefined;
  close(): void;
}

const longestFile = 64 * 1024;
const shortestSecret = 32;

/**
 * Reads the files that a portal's configuration names, and follows them. Without secrets of its own, a portal has those that its
 * gate's keys yield.
 *
 * @throws {InvalidOptionsError} with paths from the root of the configuration.
 */
export async function openPortalFiles(
  { secretsFile, authorityFile, oidc }: PortalConfiguration,
  keys: Pick<TokenKeys, "derive">,
  log: Logger,
): Promise<PortalFiles> {
  const { clientSecretFile } = oidc ?? {};
  const opened: FollowedValue<unknown>[] = [];
  const follow = async <T>(key: Path, path: string | undefined, parse: (content: Buffer) => T) => {
    if (path === undefined) return undefined;
    const followed = await followFile({ path, option: ["portal", ...key], parse, maxBytes: longestFile, log });
    opened.push(followed);
    return followed;
  };
  const close = (): void => {
    for (const followed of opened) followed.close();
  };
  try {
    const secrets = await follow(["secretsFile"], secretsFile, parseSecrets);
    const clientSecret = await follow(["oidc", "clientSecretFile"], clientSecretFile, parseSecret);
    const authority = await follow(["authorityFile"], authorityFile, parseAuthority);
    const derived = (): readonly string[] =>
      keys.derive("the portal's cookies").map((key) => Buffer.from(key).toString("hex"));
    return {
      secrets: () => secrets?.current() ?? derived(),
      clientSecret: () => clientSecret?.current(),
      authority: () => authority?.current(),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function parseAuthority(content: Buffer): string {
  const text = content.toString("utf8");
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new InvalidFileError("holds no certificate");
}

function parseSecrets(content: Buffer): readonly string[] {
  const { text, fault } = readSecretText(content);
  if (text === undefined) throw new InvalidFileError(fault);
  const secrets = text.split(/\r\n?|\n/).filter((line) => line !== "");
  if (secrets.length === 0) throw new InvalidFileError("is empty");
  if (secrets.some((secret) => secret.length < shortestSecret)) {
    throw new InvalidFileError(`holds a secret of less than ${shortestSecret} characters`);
  }
  return secrets;
}
