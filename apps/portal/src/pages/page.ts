import type { Identity, UserPrincipal } from "@registry-gate/auth";
import type { Permissions, RequestClient } from "@registry-gate/core";
import type { Reader } from "../registry/reader.ts";
import type { Notice } from "../sessions/session-data.ts";
import type { Html } from "../view/html.ts";

/** What every page knows. */
export interface PageContext {
  /** The portal's, as configured. */
  readonly title: string;
  /** Stands before every path of the portal: empty, or such as `/portal`. */
  readonly base: string;
  /** The path of this request below {@link base}, such as `/tokens`. */
  readonly path: string;
  readonly identity: Identity;
  readonly principal: UserPrincipal;
  readonly isAdmin: boolean;
  /** What each form with `method="post"` sends as `form-token`: use `formToken(context)` of `view/forms.ts`. */
  readonly formToken: string;
  /** Who is asking, and by which scheme and host: `client.host` is what stands in `docker` lines. */
  readonly client: RequestClient;
  readonly requestId: string;
  /** What the page before has left to be said. */
  readonly notice: Notice | undefined;
  /** Reads what the user may pull, without a line in the log for each read. */
  readonly reader: Reader;
  /** The registry, in the user's name. */
  readonly registry: PageRegistry;
}

/** The registry, as the user of a page may use it. */
export interface PageRegistry {
  /**
   * Deletes as docker would, and is recorded as docker is.
   *
   * @param path Such as `/v2/team/app/manifests/1.0`.
   * @returns the status of the response.
   */
  delete(path: string): Promise<number>;
  /** What the user may do to a repository. It is judged again when they do. */
  permissions(repository: string): Permissions;
}

/** A request for a page. */
export interface PageRequest {
  readonly context: PageContext;
  /** Of the path: a parameter such as `*name` has the whole rest, with slashes. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** What a form has sent; empty for GET. */
  readonly form: URLSearchParams;
  /** Aborts when nobody waits for the page any more. */
  readonly signal: AbortSignal;
}

/** What becomes of a request. */
export type PageResult =
  | { readonly kind: "page"; readonly title: string; readonly body: Html; readonly status?: number }
  /** Another page, by its path below the base; `notice` is shown there once. */
  | { readonly kind: "redirect"; readonly to: string; readonly notice?: Notice };

/** A path, and what responds there. A form's token and origin have been checked before `handle` is called. */
export interface PageRoute {
  readonly method: "get" | "post";
  /** As Express 5 writes paths, below the base: `/tokens/:id/revoke`, `/repositories/*name`. */
  readonly path: string;
  /** For others it is not there. */
  readonly adminsOnly?: true;
  handle(request: PageRequest): PageResult | Promise<PageResult>;
}

/** One subject of the portal: a directory below `pages/` with `routes.ts` and `view.ts`. */
export interface PageModule {
  /** Its place in the menu; absent: it has none. */
  readonly menu?: { readonly label: string; readonly path: string; readonly adminsOnly?: true };
  readonly routes: readonly PageRoute[];
}

/** A page that cannot be shown, for a reason that the user should read. */
export class PageError extends Error {
  override readonly name = "PageError";
  readonly status: number;

  /** @param message A sentence for the user. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
