import { durationPattern, parseDuration } from "@registry-gate/auth";
import type { AccessRule } from "registry-gate";
import { z } from "zod";
import { parseListenAddress } from "./address.ts";
import type { BackendConfiguration, Configuration, ListenAddress } from "./configuration.ts";

const text = (): z.ZodString => z.string("must be a text").min(1, "must not be empty");
const list = <T>(item: z.ZodType<T>): z.ZodType<T[]> => z.array(item, "must be a list");

const duration = (): z.ZodType<number, string> =>
  z
    .string("must be a duration such as 500ms, 30s or 15m")
    .regex(durationPattern, "must be a duration such as 500ms, 30s or 15m")
    .transform((value, context) => {
      const milliseconds = parseDuration(value);
      if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
      context.addIssue({ code: "custom", message: "must be longer than nothing and shorter than 24 days" });
      return z.NEVER;
    });

const address: z.ZodType<ListenAddress, string> = text().transform((value, context) => {
  const parsed = parseListenAddress(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: "custom", message: "must be host:port, [IPv6 address]:port or unix:/path" });
  return z.NEVER;
});

const rule: z.ZodType<AccessRule> = z.strictObject(
  {
    subjects: list(text()).describe("anonymous, authenticated, user:NAME or group:NAME"),
    repositories: list(text()).describe(
      "Globs: * within a path segment, ** across segments, ! takes away, ${username}",
    ),
    actions: list(z.enum(["pull", "push", "delete", "*"], "must be pull, push, delete or *")),
    immutableTags: list(text()).describe("Tags, with *, that may be created but not overwritten").exactOptional(),
  },
  "must be a rule with subjects, repositories and actions",
);

const backend: z.ZodType<BackendConfiguration> = z.looseObject(
  {
    type: text().describe("A built-in backend, or the name of a package"),
    id: text().describe("The name in the log; the type by default").exactOptional(),
  },
  "must be a backend with a type and its options",
);

const wholeNumber = (): z.ZodInt => z.int("must be a whole number").min(1, "must be at least 1");

/** The form of a configuration, as it is written. What its parts mean together is judged when they are built. */
export const configurationSchema: z.ZodType<Configuration> = z.strictObject(
  {
    listen: z.strictObject(
      {
        address: address.describe("host:port, [IPv6 address]:port or unix:/path"),
        tls: z
          .strictObject(
            {
              certificate: text().describe("A PEM file with the certificate and its chain"),
              key: text().describe("A PEM file with the private key"),
              clientCa: text()
                .describe("A PEM file with the authorities of clients' certificates, such as a fronting proxy's")
                .exactOptional(),
              clientAuth: z
                .enum(["none", "optional", "required"], "must be none, optional or required")
                .describe(
                  "Whether clients need a certificate of clientCa; optional by default where there is a clientCa",
                )
                .exactOptional(),
              minVersion: z.enum(["TLSv1.2", "TLSv1.3"], "must be TLSv1.2 or TLSv1.3").exactOptional(),
              ciphers: text()
                .describe("A cipher string of OpenSSL, in place of ECDHE with AES-GCM or ChaCha20-Poly1305")
                .exactOptional(),
            },
            "must hold certificate and key",
          )
          .describe("Absent: plain HTTP")
          .exactOptional(),
        trustedProxies: list(text())
          .describe("Addresses and CIDR blocks whose X-Forwarded-* are believed; unix: for Unix sockets")
          .exactOptional(),
        headersTimeout: duration()
          .describe("How long a client may take for the head of a request; 30s by default")
          .exactOptional(),
        maxConnections: wholeNumber()
          .describe("How many connections are served at once; 10000 by default")
          .exactOptional(),
      },
      "must hold address",
    ),
    upstream: z.strictObject(
      {
        url: text().describe("The registry, such as http://registry:5000"),
        readTimeout: duration().describe("How long the registry may be silent; 900s by default").exactOptional(),
        connectTimeout: duration().describe("How long connecting may take; 10s by default").exactOptional(),
        ca: text().describe("A PEM file with the certificates to trust, in place of the system's").exactOptional(),
      },
      "must hold url",
    ),
    auth: z.strictObject(
      {
        realm: text().describe("The realm of the Basic challenge; Registry realm by default").exactOptional(),
        challenge: z.literal("basic", "must be basic").exactOptional(),
        backends: z.array(backend, "must be a list").min(1, "must name at least one backend"),
        cache: z
          .union(
            [
              z.literal(false),
              z.strictObject({
                ttl: duration().describe("How long a checked login holds; 60s by default").exactOptional(),
                maxEntries: wholeNumber().describe("How many are held; 10000 by default").exactOptional(),
              }),
            ],
            "must be false, or hold ttl (a duration) and maxEntries (a whole number) and nothing else",
          )
          .exactOptional(),
      },
      "must hold backends",
    ),
    access: list(rule).describe("Absent: whoever is authenticated may pull and push").exactOptional(),
    limits: z
      .strictObject(
        {
          connectionsPerAddress: wholeNumber()
            .describe("How many connections one IPv4 address or IPv6 network of 64 bits may have; 1024 by default")
            .exactOptional(),
        },
        "must hold connectionsPerAddress",
      )
      .exactOptional(),
    log: z
      .strictObject(
        {
          level: z
            .enum(["debug", "info", "warn", "error", "silent"], "must be debug, info, warn, error or silent")
            .exactOptional(),
          attemptedNames: z
            .boolean("must be true or false")
            .describe("Whether the name of a failed login is logged; true by default")
            .exactOptional(),
        },
        "must hold level and attemptedNames",
      )
      .exactOptional(),
  },
  "must be a configuration with listen, upstream and auth",
);
