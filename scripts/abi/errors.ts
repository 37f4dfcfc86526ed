import type { AbiEntry } from "./compiled.ts";

/** Errors that the compiler makes by itself; libraries decode them without an ABI. */
const BUILT_IN: readonly unknown[] = ["Error", "Panic"];

/** Every error of the contracts once: with this ABI also what an inner contract reverts with can be decoded. */
export function errorsOf(abis: readonly (readonly AbiEntry[])[]): AbiEntry[] {
  const found = new Map<string, AbiEntry>();
  for (const entry of abis.flat()) {
    if (entry["type"] !== "error" || BUILT_IN.includes(entry["name"])) continue;
    const inputs = entry["inputs"] as { readonly type: string }[];
    const signature = `${String(entry["name"])}(${inputs.map(({ type }) => type).join(",")})`;
    if (!found.has(signature)) found.set(signature, entry);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}
