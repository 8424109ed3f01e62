import { X509Certificate } from "node:crypto";
import type { Logger } from "@registry-gate/auth";
import { type FollowedValue, followFile, InvalidFileError } from "@registry-gate/auth-kit";
import { maxFileBytes } from "../max-file-bytes.ts";

/** @throws {InvalidOptionsError} when the file contains no certificate to begin with. */
export function openCertificates(path: string, log: Logger): Promise<FollowedValue<string>> {
  return followFile({
    path,
    option: ["caCert"],
    parse(content) {
      const pem = content.toString("latin1");
      try {
        new X509Certificate(pem);
      } catch {
        throw new InvalidFileError("it contains no certificate in PEM");
      }
      return pem;
    },
    maxBytes: maxFileBytes,
    log,
  });
}
