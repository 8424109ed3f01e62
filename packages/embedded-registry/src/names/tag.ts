const tag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Whether `text` is a tag of the OCI distribution specification 1.1 ("Pulling manifests"). */
export function isTag(text: string): boolean {
  return tag.test(text);
}
