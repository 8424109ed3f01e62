import type { Kind } from "../../registry/artifact.ts";
import { writeReference } from "./reference.ts";

/** The command that fetches an artifact: by docker, helm or oras, according to its kind. */
export function pullLine(kind: Kind, host: string, repository: string, reference: string): string {
  const isDigest = reference.includes(":");
  if (kind === "Helm chart") {
    return isDigest
      ? `helm pull oci://${host}/${writeReference(repository, reference)}`
      : `helm pull oci://${host}/${repository} --version ${reference}`;
  }
  const program = kind === "image" || kind === "multi-platform image" ? "docker" : "oras";
  return `${program} pull ${host}/${writeReference(repository, reference)}`;
}
