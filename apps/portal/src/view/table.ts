import { type Content, type Html, html } from "./html.ts";

/** A column of a {@link table}. */
export interface Column {
  readonly heading: string;
  /** The heading is for who reads by ear alone. */
  readonly hidden?: true;
  /** Where the table is a list of cards, the heading stands before the cell. */
  readonly label?: true;
  readonly kind?: "figure" | "action" | "chart";
}

/**
 * A list: a table where there is room, a card an entry on a phone. The roles keep it a table for who reads by ear, however
 * it is shown.
 *
 * @param rows The cells of each, as many as there are columns; the first names the row.
 */
export function table(columns: readonly Column[], rows: readonly (readonly Content[])[]): Html {
  return html`<table class="list" role="table">
    <thead role="rowgroup"><tr role="row">${columns.map(heading)}</tr></thead>
    <tbody role="rowgroup">${rows.map(
      (cells) => html`<tr role="row">${columns.map((column, index) => cell(column, index, cells[index]))}</tr>`,
    )}</tbody>
  </table>`;
}

function heading({ heading: text, hidden, kind }: Column): Html {
  return html`<th role="columnheader" scope="col"${kind && html` class="${kind}"`}>${hidden ? html`<span class="hidden">${text}</span>` : text}</th>`;
}

function cell({ heading: text, label, kind }: Column, index: number, content: Content): Html {
  if (index === 0) return html`<th role="rowheader" scope="row">${content}</th>`;
  const isEmpty = content === undefined || content === null || content === false || content === "";
  // An element without any text is skipped on phones, with what stands before it.
  if (isEmpty) return html`<td role="cell"></td>`;
  return html`<td role="cell"${kind && html` class="${kind}"`}${label && html` data-label="${text}"`}>${content}</td>`;
}
