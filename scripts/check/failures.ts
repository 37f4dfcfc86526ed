/** Line by which the test runner's report begins its part on failures. */
const FAILURES = /^.*failing tests:$/m;

/**
 * The part of what a failed step printed that says why: its test runner's report on failures, or else its last lines. Pure.
 *
 * @param printed All that the step printed.
 * @param most Lines to return at most.
 */
export function failureIn(printed: string, most: number): string {
  const begins = printed.search(FAILURES);
  const lines = (begins === -1 ? printed : printed.slice(begins)).trimEnd().split("\n");
  if (lines.length <= most) return lines.join("\n");
  // A report begins with what failed; other tools end with it.
  return (begins === -1 ? lines.slice(-most) : [...lines.slice(0, most - 1), "…"]).join("\n");
}
