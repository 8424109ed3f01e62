import { html as template } from "hono/html";

/** A piece of a page. Only {@link html} makes one: what is put into it is text, unless it is such a piece itself. */
export type Html = ReturnType<typeof template>;

/** What can stand in a template: `undefined`, `null` and `false` are nothing. */
export type Content = string | number | false | null | undefined | Html | readonly Content[];

/**
 * Writes HTML. Every text that is put in is escaped, in content and in attributes alike, which must stand in double quotes.
 *
 *     html`<a href="${path}">${name}</a>`
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return template(strings, ...values);
}
