/** Blocks of a day on BASE, one every 2 s: an endpoint that far ahead of all others does not tell the truth. */
const DAY_BLOCKS = 43_200;

/**
 * How far an endpoint is from where it should be, by the newest blocks that the endpoints name.
 *
 * With three endpoints or more, one that is more than a day's blocks ahead of all others is not believed, so that a
 * single one cannot make all others look stale. O(n log n).
 *
 * @param head Newest block of the endpoint in question.
 * @param others Newest blocks of the others, as far as they are known.
 * @returns Blocks by which it is behind the others (positive), or ahead beyond belief (negative); 0 if neither.
 */
export function lag(head: number, others: readonly number[]): number {
  const [first, second] = [...others].sort((a, b) => b - a);
  if (first === undefined) return 0;
  if (second === undefined) return Math.max(0, first - head);
  if (head - first > DAY_BLOCKS) return first - head;
  const highest = first - Math.max(second, head) > DAY_BLOCKS ? second : first;
  return Math.max(0, highest - head);
}
