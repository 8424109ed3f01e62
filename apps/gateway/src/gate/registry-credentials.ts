import { type Fault, formatFault, InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { fileReload, readSecret } from "@registry-gate/auth-kit";
import { type RegistryCredentials, registryAuthorization } from "@registry-gate/core";
import { FileReadError, readSettled, watchFile } from "@registry-gate/watched-file";
import type { CredentialsConfiguration } from "../config/sections/upstream.ts";

/** The gate's login at the registry, whose secret is in a file. */
export interface LiveCredentials {
  current(): RegistryCredentials;
  close(): void;
}

/**
 * Reads the file of the secret, and follows it. An invalid new version is logged and ignored: the previous one stays in use.
 *
 * @throws {InvalidOptionsError}
 */
export async function openCredentials(
  configuration: CredentialsConfiguration,
  log: Pick<Logger, "info" | "warn">,
): Promise<LiveCredentials> {
  const { option, path, read } = sourceOf(configuration);
  const file = await readSettled(path, { maxBytes }).catch((error: unknown) => {
    if (error instanceof FileReadError) throw faultOf(option, error.message);
    throw error;
  });
  let current = read(file.content);
  const watch = watchFile(
    path,
    (content) => {
      try {
        current = read(content);
        log.info({ file: path }, "registry credentials reloaded");
        fileReload.publish(() => ({ files: [path], outcome: "reloaded" }));
      } catch (error) {
        if (!(error instanceof InvalidOptionsError)) throw error;
        log.warn(
          { file: path },
          `invalid file ignored, keeping the previous version: ${error.faults.map(formatFault).join()}`,
        );
        fileReload.publish(() => ({ files: [path], outcome: "invalid" }));
      }
    },
    {
      since: file,
      maxBytes,
      onError(error) {
        log.warn({ file: path, err: error }, "cannot read the registry credentials; keeping the previous ones");
        fileReload.publish(() => ({ files: [path], outcome: "unreadable" }));
      },
    },
  );
  return { current: () => current, close: () => watch.close() };
}

/** Far more than any token has. */
const maxBytes = 64 * 1024;

interface Source {
  readonly option: string;
  readonly path: string;
  read(content: Buffer): RegistryCredentials;
}

function sourceOf(configuration: CredentialsConfiguration): Source {
  const source = (option: string, path: string, credentialsOf: (secret: string) => RegistryCredentials): Source => ({
    option,
    path,
    read(content) {
      const credentials = credentialsOf(secretIn(content, option));
      try {
        registryAuthorization(credentials);
        return credentials;
      } catch (error) {
        throw faultOf(option, `cannot be sent: ${error instanceof Error ? error.message : error}`);
      }
    },
  });
  if ("bearerFile" in configuration) {
    return source("bearerFile", configuration.bearerFile, (bearer) => ({ bearer }));
  }
  const { username, passwordFile } = configuration;
  return source("passwordFile", passwordFile, (password) => ({ username, password }));
}

function secretIn(content: Buffer, option: string): string {
  const { text, fault } = readSecret(content);
  if (text === undefined) throw faultOf(option, fault);
  return text;
}

function faultOf(option: string, message: string): InvalidOptionsError {
  const fault: Fault = { path: ["upstream", "credentials", option], message };
  return new InvalidOptionsError([fault]);
}
