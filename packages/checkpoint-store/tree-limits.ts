/**
 * Bounds on trees of files that programs leave and that are stored in the checkpoint network. The same bounds hold where
 * a tree is taken, imported and restored, so that whatever is stored can be restored.
 */
export const TREE_LIMITS = {
  /** Directories below one another in what a program leaves. */
  programDepth: 64,
  /** The same in what is stored: a lease puts what programs leave a few directories down. */
  storedDepth: 72,
  /** Files and directories together in what is stored. */
  entries: 100_000,
  /** UTF-8 bytes of a path below the root of what is stored: the place where it is restored needs the rest of PATH_MAX. */
  pathBytes: 2048,
} as const;

/** What is wrong with an entry's name for storing it; undefined if nothing is. A name that is no UTF-8 is read as U+FFFD. */
export function storedNameProblem(name: string): string | undefined {
  return /[\\\uFFFD]/.test(name) ? "has a name with a backslash or that is not UTF-8: rename it" : undefined;
}
