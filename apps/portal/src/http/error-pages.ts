import type { Logger } from "@registry-gate/auth";
import { requestIdOf } from "@registry-gate/core";
import type { ErrorRequestHandler } from "express";
import { PageError } from "../pages/page.ts";
import { RegistryFaultError } from "../registry/reader.ts";
import { type Html, html } from "../view/html.ts";
import type { Shell } from "./shell.ts";

/** What a user reads where a page cannot be shown. */
export interface Failure {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

/** Tells users what they can do about an error, and nothing of what it was; that is for the log, by the id of the request. */
function failureOf(error: unknown): Failure {
  if (error instanceof PageError) return { status: error.status, title: titleOf(error.status), text: error.message };
  if (error instanceof RegistryFaultError) {
    const text = "The registry does not respond as it should. Try again in a moment.";
    return { status: 502, title: titleOf(502), text };
  }
  if (isUnavailable(error)) {
    const text = "Something that the portal depends on is not available. Try again in a moment.";
    return { status: 503, title: titleOf(503), text };
  }
  const status = clientFault(error);
  if (status !== undefined) return { status, title: titleOf(status), text: "The portal cannot read this request." };
  return { status: 500, title: titleOf(500), text: "Something went wrong in the portal." };
}

function failureBody({ title, text }: Failure, requestId: string): Html {
  return html`<h1>${title}</h1>
    <p>${text}</p>
    <p class="request-id">If you ask somebody about it, name this request: <code>${requestId}</code></p>`;
}

/** Shows errors as pages, and logs those that are not the client's. */
export function errorPages(frame: Shell, log: Logger | undefined): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const failure = failureOf(error);
    const requestId = requestIdOf(response);
    if (failure.status >= 500) log?.error({ requestId, err: error }, "a page of the portal failed");
    if (response.headersSent) return next(error);
    const { title, status } = failure;
    frame.sendPlain(request, response, { title, status, body: failureBody(failure, requestId) }).catch(next);
  };
}

/** Judged by its code: a backend or a store may have been built with another copy of its contract. */
function isUnavailable(error: unknown): boolean {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return code === "BACKEND_UNAVAILABLE" || code === "STATE_UNAVAILABLE";
}

/** Express and what reads bodies give their errors a status. */
function clientFault(error: unknown): number | undefined {
  const status = typeof error === "object" && error !== null && "status" in error ? error.status : undefined;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}

const titles: Readonly<Record<number, string>> = {
  400: "That request was not understood",
  403: "That is not allowed",
  404: "There is no such page",
  413: "That is too much at once",
  429: "Too many failed logins",
  500: "Something went wrong",
  502: "The registry cannot be reached",
  503: "Not available now",
};

function titleOf(status: number): string {
  return titles[status] ?? (status < 500 ? "That did not work" : "Something went wrong");
}
