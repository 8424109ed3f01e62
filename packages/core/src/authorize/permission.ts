/** What somebody may do to one repository. */
export interface Permissions {
  /** Read manifests, blobs, tags and referrers. */
  readonly pull: boolean;
  /** Upload blobs and put manifests. A tag that exists may be immutable all the same. */
  readonly push: boolean;
  /** Delete manifests and blobs. */
  readonly delete: boolean;
}
