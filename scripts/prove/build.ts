import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

import wrapper from "solc/wrapper.js";

import { filesBy, ROOT } from "../check/files.ts";
import soljson from "../solidity/compiler.ts";

/** What solc gives for one contract, as far as it is passed on. */
interface Compiled {
  readonly abi: unknown;
  readonly metadata: string;
  readonly storageLayout: unknown;
  readonly evm: {
    readonly bytecode: Code;
    readonly deployedBytecode: Code;
    readonly methodIdentifiers: unknown;
  };
}

interface Code {
  readonly object: string;
  readonly [key: string]: unknown;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, Compiled>>>>;
  readonly sources?: Readonly<Record<string, { readonly ast: unknown; readonly id: number }>>;
}

interface Solc {
  compile(input: string, options: { import: (path: string) => { contents: string } | { error: string } }): string;
}

const require = createRequire(import.meta.url);
const SELECTION = ["abi", "metadata", "storageLayout", "evm.bytecode", "evm.deployedBytecode", "evm.methodIdentifiers"];

/**
 * Compiles the proofs of `test/symbolic` with the project's compiler and settings, and lays the outcome out as Foundry does, which
 * is what Halmos reads.
 *
 * @param folder Where `out` is written; what was there goes.
 * @throws Error with the compiler's words, if they do not compile.
 */
export function buildProofs(folder: string, settings: object): void {
  const solc = wrapper(soljson) as Solc;
  const files = filesBy("test/symbolic/*.sol");
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(files.map((file) => [file, { content: readFileSync(join(ROOT, file), "utf8") }])),
    settings: { ...settings, outputSelection: { "*": { "": ["ast"], "*": SELECTION } } },
  };
  const {
    errors = [],
    contracts = {},
    sources = {},
  } = JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as Output;
  const wrong = errors.filter(({ severity }) => severity === "error");
  if (wrong.length > 0) throw new Error(wrong.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const out = join(folder, "out");
  rmSync(out, { recursive: true, force: true });
  for (const [file, ofFile] of Object.entries(contracts)) {
    for (const [name, compiled] of Object.entries(ofFile)) {
      mkdirSync(join(out, basename(file)), { recursive: true });
      const artifact = { ...artifactOf(compiled), ...sources[file] };
      writeFileSync(join(out, basename(file), `${name}.json`), JSON.stringify(artifact));
    }
  }
}

function artifactOf({ abi, metadata, storageLayout, evm }: Compiled): object {
  const hex = (code: Code) => ({ ...code, object: `0x${code.object}` });
  return {
    abi,
    bytecode: hex(evm.bytecode),
    deployedBytecode: hex(evm.deployedBytecode),
    methodIdentifiers: evm.methodIdentifiers,
    // Interfaces have none; Halmos wants a version all the same.
    metadata:
      metadata === ""
        ? { compiler: { version: "" }, output: { devdoc: { methods: {} } } }
        : (JSON.parse(metadata) as object),
    storageLayout,
  };
}

/** A file by how the source names it. */
function read(path: string): { contents: string } | { error: string } {
  try {
    return { contents: readFileSync(path.startsWith("@") ? require.resolve(path) : join(ROOT, path), "utf8") };
  } catch (error) {
    return { error: String(error) };
  }
}
