/** A list of which one page is shown. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** From 1 on. */
  readonly page: number;
  /** At least 1. */
  readonly pages: number;
  /** How many stand on the pages before. */
  readonly from: number;
}

/**
 * A page of a list.
 *
 * @param asked Its number, from 1 on; one past the end is the last.
 */
export function pageOf<T>(list: readonly T[], asked: number, perPage: number): ListPage<T> {
  const pages = Math.max(1, Math.ceil(list.length / perPage));
  const page = Math.min(Math.max(1, asked), pages);
  const from = (page - 1) * perPage;
  return { items: list.slice(from, from + perPage), page, pages, from };
}
