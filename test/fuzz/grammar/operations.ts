import fc from "fast-check";

/** What a registry can be asked for, as a client would write it. */
export interface Operation {
  readonly method: string;
  readonly target: string;
  readonly hasBody: boolean;
}

const digest = `sha256:${"ab".repeat(32)}`;
const upload = "3304fa85-fef2-40a1-890e-c8e89458efd2";

const reads = fc.constantFrom(
  `/v2/{o}/{m}/manifests/latest`,
  `/v2/{o}/{m}/manifests/${digest}`,
  `/v2/{o}/{m}/blobs/${digest}`,
  "/v2/{o}/{m}/tags/list",
  "/v2/{o}/{m}/tags/list?n=5&last=a",
  `/v2/{o}/{m}/referrers/${digest}?artifactType=a`,
  `/v2/{o}/{m}/blobs/uploads/${upload}?_state=abc`,
);

const writes: fc.Arbitrary<Operation> = fc.constantFrom(
  { method: "PUT", target: "/v2/{o}/{m}/manifests/v1", hasBody: true },
  { method: "PUT", target: `/v2/{o}/{m}/manifests/${digest}?tag=v1&tag=v2`, hasBody: true },
  { method: "POST", target: "/v2/{o}/{m}/blobs/uploads/", hasBody: false },
  { method: "POST", target: `/v2/{o}/{m}/blobs/uploads/?digest=${digest}`, hasBody: true },
  { method: "POST", target: `/v2/{o}/{m}/blobs/uploads/?mount=${digest}&from={f}`, hasBody: false },
  { method: "PATCH", target: `/v2/{o}/{m}/blobs/uploads/${upload}?_state=abc`, hasBody: true },
  { method: "PUT", target: `/v2/{o}/{m}/blobs/uploads/${upload}?_state=abc&digest=${digest}`, hasBody: true },
  { method: "PUT", target: `/v2/{o}/{m}/blobs/uploads/${upload}?digest=${digest}`, hasBody: false },
  { method: "DELETE", target: `/v2/{o}/{m}/blobs/uploads/${upload}?_state=abc`, hasBody: false },
  { method: "DELETE", target: `/v2/{o}/{m}/manifests/${digest}`, hasBody: false },
  { method: "DELETE", target: `/v2/{o}/{m}/blobs/${digest}`, hasBody: false },
);

/** To a repository of one's own, so that only its body could ask for more. */
export const uploadStart: Operation = { method: "POST", target: "/v2/{o}/{m}/blobs/uploads/", hasBody: true };

export const readOperation: fc.Arbitrary<Operation> = fc
  .tuple(fc.constantFrom("GET", "GET", "GET", "HEAD"), reads)
  .map(([method, target]) => ({ method, target, hasBody: false }));

/** Of no repository. */
const otherOperation: fc.Arbitrary<Operation> = fc.constantFrom(
  { method: "GET", target: "/v2/", hasBody: false },
  { method: "HEAD", target: "/v2/", hasBody: false },
  { method: "GET", target: "/v2/_catalog?n=10", hasBody: false },
  { method: "GET", target: "/healthz", hasBody: false },
);

export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: readOperation },
  { weight: 9, arbitrary: writes },
  { weight: 2, arbitrary: otherOperation },
);

/** Puts an owner, and the repository that a mount is from, in their places. */
export function ownedBy(target: string, owner: string, from: string): string {
  return target.replaceAll("{o}", owner).replaceAll("{f}", from);
}
