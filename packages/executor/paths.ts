/** Longest relative path that a spec may name, in characters. */
const MAX_PATH_LENGTH = 255;

/**
 * What is wrong with a relative path that a spec names; undefined if it is safe: it stays inside the directory it is
 * relative to and means the same on every system.
 */
export function relativePathProblem(path: string): string | undefined {
  if (path === "") return "is empty: name a file or directory";
  if (path.length > MAX_PATH_LENGTH) return `is longer than ${MAX_PATH_LENGTH} characters: shorten it`;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return "has a backslash or a control character: use plain names and /";
  if (path.startsWith("/")) return "is absolute: make it relative";
  const segments = path.split("/");
  if (segments.includes("")) return "has an empty part: write no double or trailing slash";
  if (segments.some((segment) => segment === "." || segment === "..")) return 'has a part "." or "..": leave it out';
  return undefined;
}

/**
 * Two of the paths that cannot exist side by side: equal, or one inside the other. O(n log n).
 *
 * @param paths Each without a {@link relativePathProblem}.
 */
export function collidingPaths(paths: readonly string[]): readonly [string, string] | undefined {
  // "/" sorts first, so that what is inside a directory follows the directory itself at once.
  const key = (path: string) => path.replaceAll("/", "\u0000");
  const sorted = [...paths].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  for (const [index, path] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && (next === path || next.startsWith(`${path}/`))) return [path, next];
  }
  return undefined;
}
