import type { PageContext } from "../pages/page.ts";
import { type Html, html } from "./html.ts";

/** The name of the field that each form carries its token in. */
export const formTokenField = "form-token";

/** The field by which the portal knows a form for its own: it stands in every form with `method="post"`. */
export function formToken({ formToken: token }: Pick<PageContext, "formToken">): Html {
  return html`<input type="hidden" name="${formTokenField}" value="${token}">`;
}
