import { isLoopbackUrl } from "@registry-gate/auth-kit";
import { z } from "zod";
import { type Section, withAbsolute } from "../section.ts";
import { duration, list, text, wholeNumber } from "../value-schemas.ts";

/** What a registry's notification is about. */
export type NotifiedAction = (typeof notifiedActions)[number];

const notifiedActions = ["push", "delete", "pull"] as const;

/** Where notifications are sent to. */
export interface EndpointConfiguration {
  readonly url: string;
  /** Each notification is signed with the secret in it. */
  readonly secretFile: string;
  /** Default: `push` and `delete`. */
  readonly on?: readonly NotifiedAction[];
  /** A PEM file of certificates to trust in place of the system's. */
  readonly ca?: string;
  /** For one attempt, in milliseconds. Default 10 s. */
  readonly timeout?: number;
  /** Where notifications wait. Default: `events.db` beside the configuration. */
  readonly queueFile?: string;
  /** How many may wait, before the oldest are dropped. Default 10000. */
  readonly maxQueued?: number;
}

export type EventsConfiguration = readonly EndpointConfiguration[];

/** What an endpoint is notified of. */
export function actionsOf({ on = ["push", "delete"] }: EndpointConfiguration): readonly NotifiedAction[] {
  return on;
}

const url = text().superRefine((value, context) => {
  const message = urlFault(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const endpoint: z.ZodType<EndpointConfiguration> = z.strictObject(
  {
    url: url.describe("Where notifications are posted to: https://, or http:// in a network that nobody else reads"),
    secretFile: text().describe(
      "A file with the secret that signs them (HMAC-SHA-256); it is followed when it changes",
    ),
    on: z
      .array(z.enum(notifiedActions, "must be push, delete or pull"), "must be a list")
      .min(1, "must not be empty")
      .describe("What is notified of; push and delete by default")
      .exactOptional(),
    ca: text().describe("A PEM file with the certificates to trust in place of the system's").exactOptional(),
    timeout: duration().describe("How long one attempt may take; 10s by default").exactOptional(),
    queueFile: text()
      .describe(
        "A SQLite file in which notifications wait, made with mode 0600; events.db beside the configuration by default",
      )
      .exactOptional(),
    maxQueued: wholeNumber()
      .describe("How many may wait for this endpoint, before the oldest are dropped; 10000 by default")
      .exactOptional(),
  },
  "must hold url and secretFile",
);

export const eventsSection: Section<EventsConfiguration> = {
  schema: list(endpoint),
  withAbsolutePaths: (endpoints, absolute) =>
    endpoints.map((each) => withAbsolute(each, ["secretFile", "ca", "queueFile"], absolute)),
};

/** Whether what is sent there can be read on its way. */
export function isPlainToOthers({ url: location }: EndpointConfiguration): boolean {
  const parsed = new URL(location);
  return parsed.protocol === "http:" && !isLoopbackUrl(parsed);
}

function urlFault(value: string): string | undefined {
  const example = "must be a URL such as https://ci.example.com/hooks/registry";
  if (!URL.canParse(value)) return example;
  const { protocol, username, password, hash } = new URL(value);
  if (protocol !== "https:" && protocol !== "http:") return example;
  if (username !== "" || password !== "") return "must not hold credentials: the receiver checks the signature";
  return hash === "" && !value.includes("#") ? undefined : "must not have a fragment";
}
