import { isCredentialHeader } from "../options/header-name.ts";

const optionalMethods: readonly string[] = [
  "lookup",
  "recheck",
  "challenge",
  "onChange",
  "check",
  "diagnose",
  "roster",
  "close",
];

/**
 * Says in which way a value is not a backend; `undefined` if it is one. It continues a sentence whose subject is
 * the value.
 */
export function backendFault(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "is not a backend";
  if ("then" in value && typeof value.then === "function") return "is a promise: await it";
  if (!("id" in value) || typeof value.id !== "string" || value.id === "") return "has no id";
  if (!("authenticate" in value) || typeof value.authenticate !== "function") return "has no authenticate";
  for (const name of optionalMethods) {
    const method: unknown = Reflect.get(value, name);
    if (method !== undefined && typeof method !== "function") return `has a member ${name} that is not a function`;
  }
  const headers: unknown = "credentialHeaders" in value ? value.credentialHeaders : undefined;
  if (headers !== undefined && !(Array.isArray(headers) && headers.every(isCredentialHeader))) {
    return "has credentialHeaders that are not names of headers in lower case, authorization left out";
  }
  const longest: unknown = "maxCredentialBytes" in value ? value.maxCredentialBytes : undefined;
  if (longest !== undefined && !(Number.isSafeInteger(longest) && Number(longest) > 0)) {
    return "has a maxCredentialBytes that is not a positive whole number";
  }
  return undefined;
}
