import { randomUUID } from "node:crypto";
import type { AuditEvent } from "../audit/audit-event.ts";
import type { NotifiedAction } from "../config/sections/events.ts";

/** The media type of an envelope, as of the distribution's registry. */
export const envelopeType = "application/vnd.docker.distribution.events.v1+json";

/**
 * An event in the envelope of the distribution's registry (distribution, "Work with notifications"). Members that do not apply
 * are left out, as the registry does.
 */
export interface Notification {
  /** Unique, and the same in every attempt. */
  readonly id: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly action: NotifiedAction;
  readonly target: {
    readonly mediaType?: string;
    readonly size?: number;
    readonly digest?: string;
    /** The same as `size`. */
    readonly length?: number;
    readonly repository?: string;
    readonly url?: string;
    readonly tag?: string;
  };
  readonly request: {
    readonly id?: string;
    readonly addr?: string;
    readonly host?: string;
    readonly method?: string;
    readonly useragent?: string;
  };
  /** Empty for nobody. */
  readonly actor: { readonly name?: string };
  readonly source: NotificationSource;
}

/** The gateway. */
export interface NotificationSource {
  readonly addr: string;
  /** One for each start. */
  readonly instanceID: string;
}

/** What an event is to receivers; undefined for what is no change or read of the registry's content. */
export function notifiedAction({
  event,
  operation,
  status = 0,
  method,
}: Pick<AuditEvent, "event" | "operation" | "status" | "method">): NotifiedAction | undefined {
  if (status < 200 || status > 299) return undefined;
  if (event === "push" && operation === "put-manifest") return "push";
  if (event === "delete") return "delete";
  return event === "pull" && operation === "get-manifest" && method === "GET" ? "pull" : undefined;
}

/** The notifications of an event: one, or one for each tag of a manifest that was put with several. */
export function notificationsOf(event: AuditEvent, source: NotificationSource): readonly Notification[] {
  const action = notifiedAction(event);
  if (action === undefined) return [];
  const { tags = [event.tag] } = event;
  return tags.map((tag, index) => ({
    id: index === 0 ? event.id : randomUUID(),
    timestamp: event.time,
    action,
    target: targetOf(event, action, tag),
    request: requestOf(event),
    actor: event.username === undefined ? {} : { name: event.username },
    source,
  }));
}

/** The body of one delivery. */
export function envelopeOf(notification: Notification): string {
  return JSON.stringify({ events: [notification] });
}

function targetOf(event: AuditEvent, action: NotifiedAction, tag: string | undefined): Notification["target"] {
  const { mediaType, digest, bytes, repository, origin } = event;
  // What was deleted has no content any more.
  const size = action === "delete" ? undefined : bytes;
  const kind = event.operation === "delete-blob" ? "blobs" : "manifests";
  return {
    ...(mediaType !== undefined && { mediaType }),
    ...(size !== undefined && { size }),
    ...(digest !== undefined && { digest }),
    ...(size !== undefined && { length: size }),
    ...(repository !== undefined && { repository }),
    ...(action !== "delete" &&
      origin !== undefined &&
      digest !== undefined && { url: `${origin}/v2/${repository}/${kind}/${digest}` }),
    ...(tag !== undefined && { tag }),
  };
}

function requestOf({ requestId, address, origin, method, agent }: AuditEvent): Notification["request"] {
  return {
    ...(requestId !== undefined && { id: requestId }),
    ...(address !== undefined && { addr: address }),
    ...(origin !== undefined && { host: new URL(origin).host }),
    ...(method !== undefined && { method }),
    ...(agent !== undefined && { useragent: agent }),
  };
}
