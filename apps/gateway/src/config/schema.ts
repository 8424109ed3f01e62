import { durationPattern, parseDuration } from "@registry-gate/auth";
import { durationFault } from "@registry-gate/auth-kit";
import { accessRuleSchema } from "@registry-gate/core";
import { z } from "zod";
import { parseListenAddress } from "./address.ts";
import { bytesPattern, parseBytes } from "./bytes.ts";
import type { BackendConfiguration, Configuration, ListenAddress } from "./configuration.ts";

const text = (): z.ZodString => z.string("must be a text").min(1, "must not be empty");
const list = <T>(item: z.ZodType<T>): z.ZodType<T[]> => z.array(item, "must be a list");

const durationError = { error: ({ input }: { input?: unknown }) => durationFault(input) };
/** It may be longer than a timer can wait: whatever sets one asks `timerDelay`. */
const duration = (): z.ZodType<number, string> =>
  z
    .string(durationError)
    .regex(durationPattern, durationError)
    .transform((value, context) => {
      const milliseconds = parseDuration(value);
      if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
      context.addIssue({ code: "custom", message: "must be longer than nothing, and at most 36525d" });
      return z.NEVER;
    });

const perSecond = "must be a rate such as 1KiB/s, or 0";
/** Bytes a second; 0 for no limit. */
const byteRate = (): z.ZodType<number, string | 0> =>
  z.union(
    [
      z.literal(0),
      z
        .string(perSecond)
        .regex(new RegExp(`^0$|${bytesPattern.source.slice(0, -1)}/s$`), perSecond)
        .transform((value, context) => {
          const bytes = value === "0" ? 0 : parseBytes(value.slice(0, -"/s".length));
          if (bytes !== undefined) return bytes;
          context.addIssue({ code: "custom", message: perSecond });
          return z.NEVER;
        }),
    ],
    perSecond,
  );

const time = durationPattern.source.replace(/^\^|\$$/g, "");
const limit = (): z.ZodString =>
  text().regex(new RegExp(`^[1-9]\\d{0,8}/${time}$`), "must be a number of failures within a time, such as 10/5m");

const addressForm = "must be host:port, [IPv6 address]:port, a port alone, unix:/path or systemd:NAME";
const address: z.ZodType<ListenAddress, string | number> = z
  .union([z.string(), z.int()], addressForm)
  .transform((value, context) => {
    const parsed = parseListenAddress(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: addressForm });
    return z.NEVER;
  });

const pathExample = "must be a path of plain segments, such as /healthz";
/** In one spelling only, and not where the registry is, in no spelling. */
const healthPath = text()
  .regex(/^\/(?:[A-Za-z0-9._~-]+\/)*[A-Za-z0-9._~-]*$/, pathExample)
  .regex(/^(?!.*\/\.{1,2}(?:\/|$))/, pathExample)
  .regex(/^(?!\/[vV]2(?:\/|$))/, "must not be below /v2/, where the registry is");

const modeExample = 'must be a mode in quotes, such as "0660"';
/** In quotes: YAML takes 0660 for the number 660. */
const mode: z.ZodType<number, string> = z
  .string(modeExample)
  .regex(/^0?[0-7]{3}$/, modeExample)
  .transform((value) => Number.parseInt(value, 8));

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
        address: address.describe(
          "host:port, [IPv6 address]:port, a port alone (at every address), unix:/path, or systemd: for a socket that systemd passes",
        ),
        socketMode: mode.describe('The mode of a Unix socket, such as "0660"').exactOptional(),
        socketGroup: z
          .union([text(), z.int().min(0)], "must be the name or the number of a group")
          .describe("The group of a Unix socket: a name in /etc/group, or a number")
          .exactOptional(),
        shared: z
          .boolean("must be true or false")
          .describe("Whether a second process may listen on the same address, to take over; false by default")
          .exactOptional(),
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
          .describe("Addresses and CIDR blocks whose X-Forwarded-* and Forwarded are believed; unix: for Unix sockets")
          .exactOptional(),
        cors: z
          .strictObject(
            {
              origins: list(text()).describe("Exact origins, such as https://ui.example.com"),
              credentials: z
                .boolean("must be true or false")
                .describe("Whether their pages may have the browser add a remembered login; false by default")
                .exactOptional(),
            },
            "must hold origins",
          )
          .describe("Pages of other origins that may use the registry from a browser, such as a registry's UI")
          .exactOptional(),
        healthPath: healthPath.describe("Answered with 200 without a login, such as /healthz").exactOptional(),
        drainTimeout: duration()
          .describe("How long requests that have begun may take to finish after SIGTERM; 30s by default")
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
        maxConnections: wholeNumber()
          .describe("How many connections to the registry are open at once; 1024 by default")
          .exactOptional(),
        ca: text().describe("A PEM file with the certificates to trust, in place of the system's").exactOptional(),
        credentials: z
          .union(
            [
              z.strictObject({
                username: text().regex(
                  /^[^:\u0000-\u001f\u007f-\u009f]*$/,
                  "must hold no colon and no control character",
                ),
                passwordFile: text().describe("The file that holds the password, followed when it changes"),
              }),
              z.strictObject({
                bearerFile: text().describe("The file that holds the token, followed when it changes"),
              }),
            ],
            "must hold username and passwordFile, or bearerFile, and nothing else",
          )
          .describe("The gate's own login at the registry; none by default")
          .exactOptional(),
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
        throttle: z
          .union(
            [
              z.literal(false),
              z.strictObject({
                perAddress: limit()
                  .describe("How many logins from one address may fail within a time; 100/1m by default")
                  .exactOptional(),
                perUserAndAddress: limit()
                  .describe("How many logins of one user from one address may fail within a time; 10/5m by default")
                  .exactOptional(),
                backoff: text()
                  .regex(new RegExp(`^${time}\\.\\.${time}$`), "must be a shortest and a longest time, such as 1s..15m")
                  .describe("The pause after a failure beyond these, at first and at most; 1s..15m by default")
                  .exactOptional(),
                ipv6Prefix: z
                  .int("must be a whole number from 1 to 128")
                  .min(1, "must be a whole number from 1 to 128")
                  .max(128, "must be a whole number from 1 to 128")
                  .describe("How many bits of an IPv6 address are one client; 64 by default")
                  .exactOptional(),
              }),
            ],
            "must be false, or hold perAddress, perUserAndAddress, backoff and ipv6Prefix and nothing else",
          )
          .describe("How failed logins are limited; false: not at all")
          .exactOptional(),
      },
      "must hold backends",
    ),
    access: list(accessRuleSchema).describe("Absent: whoever is authenticated may pull and push").exactOptional(),
    limits: z
      .strictObject(
        {
          inFlight: wholeNumber()
            .describe("How many requests are in progress at once, in all; 10000 by default")
            .exactOptional(),
          inFlightPerClient: wholeNumber()
            .describe("How many of one user, or of one address without a user; 256 by default")
            .exactOptional(),
          minRate: byteRate()
            .describe("The least that a client must send or take, over a minute; 1KiB/s by default, 0 for no limit")
            .exactOptional(),
          connectionsPerAddress: wholeNumber()
            .describe("How many connections one IPv4 address or IPv6 network of 64 bits may have; 1024 by default")
            .exactOptional(),
        },
        "must hold inFlight, inFlightPerClient, minRate or connectionsPerAddress",
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
