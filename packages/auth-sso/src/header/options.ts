import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { flagOption, identityHeaderOption, listOption, parseOptions, textOption } from "@registry-gate/auth-kit";
import { z } from "zod";
import { separator } from "../option-schema.ts";
import { type UsernameCase, usernameCaseOption } from "../username-case.ts";
import { peerFault } from "./peer-fault.ts";
import { type HeaderPreset, headerPresetNames, headerPresets } from "./presets.ts";

/** The options of {@link ssoHeaderBackend}. */
export interface SsoHeaderOptions {
  /**
   * Who may name users: the IP addresses and CIDR blocks of the proxies that stand directly before the gate, and `unix:`
   * for those on a Unix socket. From everybody else the headers are not read.
   */
  readonly trustedProxies: readonly string[];
  /** Allows `trustedProxies` to hold blocks wider than any private network, such as `0.0.0.0/0`. Default `false`. */
  readonly trustAnyPeer?: boolean;
  /** A product whose headers are known; the options below override single ones. */
  readonly preset?: HeaderPreset;
  /** Holds the user's name. Required without a preset. */
  readonly userHeader?: string;
  /** What the user header must begin with, and what does not belong to the name. */
  readonly stripUserPrefix?: string;
  /** How the user's name is written: as it comes, or in lower case, as names of repositories are. Default `keep`. */
  readonly usernameCase?: UsernameCase;
  /** Holds the user's groups. Default: nobody is in a group. */
  readonly groupsHeader?: string;
  /**
   * What stands between two groups; `none`: the header is one group; `json`: it is a JSON array of strings. Required
   * with `groupsHeader`.
   */
  readonly groupsSeparator?: string;
  /** Holds the e-mail address, which becomes the claim `email`. */
  readonly emailHeader?: string;
  /** Holds the display name, which becomes the claim `name`. */
  readonly nameHeader?: string;
  /** Whether text beyond ASCII comes in encoded words (RFC 2047). Default `false`: it is UTF-8. */
  readonly encodedWords?: boolean;
  /** A second proof: a secret that the proxy alone knows. */
  readonly sharedSecret?: SharedSecretOptions;
  /** A second proof: the certificate that the proxy showed in the TLS handshake. */
  readonly clientCertificate?: ClientCertificateOptions;
}

/** A second proof: a secret that the proxy sends with each request. */
export interface SharedSecretOptions {
  /** The header in which the proxy sends the secret. */
  readonly header: string;
  /** At least 16 printable characters of ASCII, without blanks. One of `value` and `valueFile` is required. */
  readonly value?: string;
  /** The file that holds the secret. It is followed. Relative to the base directory of the context. */
  readonly valueFile?: string;
}

/** A second proof: the certificate by which the proxy is known. */
export interface ClientCertificateOptions {
  /** SHA-256 fingerprints, one of which the certificate must have: 64 hexadecimal digits, colons are left out or not. */
  readonly fingerprints: readonly string[];
}

/** All options, with the preset and the defaults; header names in lower case. */
export interface ResolvedHeaderOptions {
  readonly trustedProxies: readonly string[];
  readonly userHeader: string;
  readonly stripUserPrefix: string;
  readonly usernameCase: UsernameCase;
  readonly groupsHeader: string | undefined;
  readonly groupsSeparator: string;
  readonly emailHeader: string | undefined;
  readonly nameHeader: string | undefined;
  readonly encodedWords: boolean;
  readonly sharedSecret: SharedSecretOptions | undefined;
  /** In capitals, with colons. */
  readonly fingerprints: readonly string[] | undefined;
}

const secretSchema: z.ZodType<SharedSecretOptions> = z.strictObject(
  {
    header: identityHeaderOption().describe("The header in which the proxy sends the secret"),
    value: textOption("a secret").describe("The secret: at least 16 printable characters").exactOptional(),
    valueFile: textOption("a path").describe("The file that holds the secret").exactOptional(),
  },
  "must have header, and value or valueFile",
);

const certificateSchema: z.ZodType<ClientCertificateOptions> = z.strictObject(
  {
    fingerprints: listOption(
      textOption("a fingerprint").regex(
        /^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/,
        "must be a SHA-256 fingerprint: 64 hexadecimal digits",
      ),
      "SHA-256 fingerprints",
    ).describe("SHA-256 fingerprints, one of which the certificate must have"),
  },
  "must have fingerprints",
);

const shape = {
  trustedProxies: listOption(textOption("an IP address or a CIDR block"), "IP addresses and CIDR blocks").describe(
    "Who may name users: addresses and CIDR blocks of the proxies before the gate, and unix:",
  ),
  trustAnyPeer: flagOption().describe("Allows trustedProxies to be wider than any private network").exactOptional(),
  preset: z
    .enum(headerPresetNames, `must be one of ${headerPresetNames.join(", ")}`)
    .describe("A product whose headers are known")
    .exactOptional(),
  userHeader: identityHeaderOption().describe("Holds the user's name").exactOptional(),
  stripUserPrefix: textOption("a text").describe("What the user header must begin with").exactOptional(),
  usernameCase: usernameCaseOption().exactOptional(),
  groupsHeader: identityHeaderOption().describe("Holds the user's groups").exactOptional(),
  groupsSeparator: separator()
    .describe("What stands between two groups; none: the header is one group; json: it is a JSON array")
    .exactOptional(),
  emailHeader: identityHeaderOption().describe("Holds the e-mail address").exactOptional(),
  nameHeader: identityHeaderOption().describe("Holds the display name").exactOptional(),
  encodedWords: flagOption().describe("Whether text beyond ASCII comes in encoded words (RFC 2047)").exactOptional(),
  sharedSecret: secretSchema.describe("A secret that the proxy alone knows").exactOptional(),
  clientCertificate: certificateSchema.describe("The certificate of the proxy in the TLS handshake").exactOptional(),
};

/** The options, as plugin and factory check them. */
export const headerOptions: z.ZodType<SsoHeaderOptions> = z.strictObject(
  shape,
  "must be an object with trustedProxies",
);

/** @throws {InvalidOptionsError} with every fault of form. */
function parseHeaderOptions(options: unknown): SsoHeaderOptions {
  return parseOptions(headerOptions, options);
}

/** @throws {InvalidOptionsError} with every fault of form, or else with every option that does not go with another. */
export function resolveHeaderOptions(options: unknown): ResolvedHeaderOptions {
  const given = parseHeaderOptions(options);
  const merged = { ...(given.preset === undefined ? undefined : headerPresets[given.preset]), ...given };
  const { userHeader, groupsHeader, groupsSeparator, sharedSecret } = merged;
  const faults = [...proxyFaults(given), ...nameFaults(merged), ...secretFaults(sharedSecret)];
  if (groupsHeader !== undefined && groupsSeparator === undefined) {
    faults.push({ path: ["groupsSeparator"], message: "is required with groupsHeader: ; or , or none or json" });
  }
  if (groupsHeader === undefined && groupsSeparator !== undefined) {
    faults.push({ path: ["groupsSeparator"], message: "has no effect without groupsHeader" });
  }
  if (userHeader === undefined) faults.push({ path: ["userHeader"], message: "is required without a preset" });
  if (faults.length > 0 || userHeader === undefined) throw new InvalidOptionsError(faults);
  return {
    trustedProxies: given.trustedProxies,
    userHeader: userHeader.toLowerCase(),
    stripUserPrefix: merged.stripUserPrefix ?? "",
    usernameCase: given.usernameCase ?? "keep",
    groupsHeader: groupsHeader?.toLowerCase(),
    groupsSeparator: groupsSeparator ?? "none",
    emailHeader: merged.emailHeader?.toLowerCase(),
    nameHeader: merged.nameHeader?.toLowerCase(),
    encodedWords: merged.encodedWords ?? false,
    sharedSecret: sharedSecret && { ...sharedSecret, header: sharedSecret.header.toLowerCase() },
    fingerprints: given.clientCertificate?.fingerprints.map(withColons),
  };
}

function proxyFaults({ trustedProxies, trustAnyPeer = false }: SsoHeaderOptions): Fault[] {
  return trustedProxies.flatMap((entry, index) => {
    const message = peerFault(entry, trustAnyPeer);
    return message === undefined ? [] : [{ path: ["trustedProxies", index], message }];
  });
}

/** No header can mean two things. */
function nameFaults(options: Partial<SsoHeaderOptions>): Fault[] {
  const { userHeader, groupsHeader, emailHeader, nameHeader, sharedSecret } = options;
  const named: [readonly string[], string | undefined][] = [
    [["userHeader"], userHeader],
    [["groupsHeader"], groupsHeader],
    [["emailHeader"], emailHeader],
    [["nameHeader"], nameHeader],
    [["sharedSecret", "header"], sharedSecret?.header],
  ];
  const seen = new Set<string>();
  return named.flatMap(([path, header]) => {
    const name = header?.toLowerCase();
    if (name === undefined) return [];
    if (seen.has(name)) return [{ path, message: "is already used by another option" }];
    seen.add(name);
    return [];
  });
}

function secretFaults(secret: SharedSecretOptions | undefined): Fault[] {
  if (secret === undefined) return [];
  const { value, valueFile } = secret;
  if ((value === undefined) === (valueFile === undefined)) {
    return [{ path: ["sharedSecret"], message: "must have either value or valueFile" }];
  }
  const message = value === undefined ? undefined : sharedSecretFault(value);
  return message === undefined ? [] : [{ path: ["sharedSecret", "value"], message }];
}

/** What is wrong with a secret. */
export function sharedSecretFault(secret: string): string | undefined {
  return /^[\u0021-\u007e]{16,1024}$/.test(secret)
    ? undefined
    : "must be 16 to 1024 printable characters of ASCII without blanks";
}

function withColons(fingerprint: string): string {
  return (fingerprint.replaceAll(":", "").toUpperCase().match(/../g) ?? []).join(":");
}
