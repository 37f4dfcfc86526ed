/**
 * Does something with each of what a bounded page lists, page after page, until nothing is left or a page brings no progress: what cannot be
 * done stays listed. O(items × pages).
 *
 * @param page What is left: the first of it, and how much in all.
 * @returns How much is left.
 */
export async function drain<T>(
  page: () => Promise<{ readonly ids: readonly T[]; readonly total: number }>,
  take: (id: T) => Promise<unknown>,
): Promise<number> {
  for (let before = Infinity; ;) {
    const { ids, total } = await page();
    if (ids.length === 0 || total >= before) return total;
    before = total;
    for (const id of ids) await take(id);
  }
}
