import { createHash, timingSafeEqual } from "node:crypto";
import { resolve } from "node:path";
import type { AuthRequest, Logger } from "@registry-gate/auth";
import { followFile, InvalidFileError, readSecret } from "@registry-gate/auth-kit";
import { maxFileBytes } from "../max-file-bytes.ts";
import { type ResolvedHeaderOptions, type SharedSecretOptions, sharedSecretFault } from "./options.ts";

/** What a trusted proxy must show besides its address. */
export interface SecondProof {
  /** Why the proof is not there, or wrong. */
  faultOf(request: AuthRequest): string | undefined;
  close(): void;
}

/** @throws {InvalidOptionsError} when the file of the secret cannot be used. */
export async function secondProof(
  { sharedSecret, fingerprints }: ResolvedHeaderOptions,
  context: { readonly baseDirectory: string; readonly log: Logger; readonly onChange: () => void },
): Promise<SecondProof> {
  const secret = sharedSecret && (await openSecret(sharedSecret, context));
  return {
    faultOf({ header, peer }) {
      if (fingerprints !== undefined) {
        if (peer.certificateFingerprint === undefined) return "the proxy showed no verified certificate";
        if (!fingerprints.includes(peer.certificateFingerprint)) return "the proxy showed another certificate";
      }
      if (sharedSecret === undefined || secret === undefined) return undefined;
      const values = header(sharedSecret.header);
      const [value] = values;
      if (value === undefined) return "the proxy's shared secret is missing";
      if (values.length > 1) return "the proxy's shared secret occurs more than once";
      return timingSafeEqual(digest(value), secret.digest()) ? undefined : "the proxy's shared secret is wrong";
    },
    close: () => secret?.close(),
  };
}

interface Secret {
  digest(): Buffer;
  close(): void;
}

async function openSecret(
  { value, valueFile }: SharedSecretOptions,
  { baseDirectory, log, onChange }: { readonly baseDirectory: string; readonly log: Logger; onChange: () => void },
): Promise<Secret> {
  if (valueFile === undefined) {
    const fixed = digest(value ?? "");
    return { digest: () => fixed, close: () => {} };
  }
  const file = await followFile({
    path: resolve(baseDirectory, valueFile),
    option: ["sharedSecret", "valueFile"],
    parse(content) {
      const reading = readSecret(content);
      const fault = reading.fault ?? sharedSecretFault(reading.text);
      if (fault !== undefined) throw new InvalidFileError(`the secret ${fault}`);
      return digest(reading.text ?? "");
    },
    maxBytes: maxFileBytes,
    log,
    onChange,
  });
  return { digest: () => file.current(), close: () => file.close() };
}

/** Of equal length for all, so that the comparison tells nothing of the secret, not even its length. */
function digest(value: string): Buffer {
  return createHash("sha256").update(value, "latin1").digest();
}
