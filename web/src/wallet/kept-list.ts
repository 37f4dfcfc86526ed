/** Values of one kind that this browser keeps for each chain, the oldest first. */
interface KeptList<T> {
  /** Those that are kept. */
  readonly read: (chainId: number) => T[];
  /** Replaces them; where there are too many, the oldest go. */
  readonly write: (chainId: number, values: readonly T[]) => void;
  /** Those that a text of the storage has; what is no value of this kind is left out. */
  readonly parse: (text: string | null) => T[];
}

/**
 * A list in the browser's storage, which anyone with the browser can write to: what is read is looked at.
 *
 * @param most How many are kept.
 * @param is Whether what was read is a value of this kind.
 */
export function keptList<T>(name: string, most: number, is: (value: unknown) => value is T): KeptList<T> {
  const keyOf = (chainId: number) => `drmp.${name}.${String(chainId)}`;
  const parse = (text: string | null): T[] => {
    try {
      const values = JSON.parse(text ?? "[]") as unknown;
      return Array.isArray(values) ? values.filter(is) : [];
    } catch {
      return [];
    }
  };
  return {
    parse,
    read: (chainId) => parse(localStorage.getItem(keyOf(chainId))),
    write: (chainId, values) => {
      localStorage.setItem(keyOf(chainId), JSON.stringify(values.slice(-most)));
    },
  };
}
