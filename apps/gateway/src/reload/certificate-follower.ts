import type { Logger } from "@registry-gate/auth";
import { type FileWatch, type SettledFile, watchFiles } from "@registry-gate/watched-file";
import type { TlsConfiguration } from "../config/sections/listen-tls.ts";
import { reportRefusal, reportUnreadableFile, reportWarnings } from "../log/reports.ts";
import { certificateReload, publishRefusal, publishReload } from "../observe/reloads.ts";
import { identityOf, type TlsFiles, type TlsIdentity } from "../tls/tls-identity.ts";

/**
 * Follows the files of a certificate. A valid new pair is used for new connections; an invalid one is logged and rejected,
 * and the current one stays.
 *
 * @param identity The certificate as it was loaded.
 * @param take Uses the new one for new connections.
 */
export function followCertificate(
  configuration: TlsConfiguration,
  { files: [certificate, key, clientCa] }: TlsIdentity,
  take: (identity: TlsIdentity) => void,
  log: Logger,
): FileWatch {
  const swap = ([newCertificate, newKey, newClientCa]: readonly Buffer[]): void => {
    if (newCertificate === undefined || newKey === undefined) return;
    const pair: [SettledFile, SettledFile] = [
      { path: certificate.path, content: newCertificate },
      { path: key.path, content: newKey },
    ];
    const asked = clientCa !== undefined && newClientCa !== undefined;
    try {
      const files: TlsFiles = asked ? [...pair, { path: clientCa.path, content: newClientCa }] : pair;
      const identity = identityOf(configuration, files);
      take(identity);
      log.info({ event: "certificate reloaded" }, "certificate reloaded for new connections");
      publishReload(certificateReload);
      reportWarnings(log, identity.warnings);
    } catch (error) {
      reportRefusal(log, "certificate refused", error);
      publishRefusal(certificateReload, error);
    }
  };
  const files = [certificate, key, ...(clientCa === undefined ? [] : [clientCa])];
  const paths = files.map((file) => file.path);
  return watchFiles(paths, swap, { since: files, onError: (error) => reportUnreadableFile(log, error) });
}
