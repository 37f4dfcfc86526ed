/**
 * The Solidity compiler as npm has it, with its calls looked up once.
 *
 * Where C++ may throw, soljson calls a function by way of JavaScript, and looks it up in the module's table each time, some hundred
 * million times in a build, which is a quarter of the compiler's time. Functions are put into the table by `set` alone, so that what was
 * found stays true until then.
 */
import { createRequire } from "node:module";

/** What of a `WebAssembly.Table` is used here. */
export interface Table {
  readonly length: number;
  get(index: number): unknown;
  set(index: number, value: unknown): void;
}

/** What of soljson is used here; compilers are made of it by `solc/wrapper`. */
interface Soljson {
  /** Exports of the compiled module, its table among them. */
  readonly asm: Readonly<Record<string, object>>;
}

const soljson = createRequire(import.meta.url)("solc/soljson.js") as Soljson;
for (const part of Object.values(soljson.asm)) if (isTable(part)) remember(part);

export default soljson;

/** Keeps what was looked up in a table. */
export function remember(table: Table): void {
  const known: unknown[] = Array.from({ length: table.length });
  const [get, set] = [table.get.bind(table), table.set.bind(table)];
  table.get = (index) => (known[index] ??= get(index));
  table.set = (index, value) => {
    set(index, value);
    known[index] = undefined;
  };
}

export function isTable(part: object): part is Table {
  return Object.prototype.toString.call(part) === "[object WebAssembly.Table]";
}
