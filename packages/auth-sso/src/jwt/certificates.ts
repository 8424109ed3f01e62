import { X509Certificate } from "node:crypto";
import type { Logger } from "@registry-gate/auth";
import { type LiveFile, openLiveFile, UnusableFileError } from "../live-file.ts";

/** @throws {InvalidOptionsError} when the file holds no certificate to begin with. */
export function openCertificates(path: string, log: Logger): Promise<LiveFile<string>> {
  return openLiveFile({
    path,
    option: ["caCert"],
    parse(content) {
      const pem = content.toString("latin1");
      try {
        new X509Certificate(pem);
      } catch {
        throw new UnusableFileError("it holds no certificate in PEM");
      }
      return pem;
    },
    log,
    onChange: () => {},
  });
}
