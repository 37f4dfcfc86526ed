import { globSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import { CONTRACT_NAMES, type ContractName } from "../../packages/client/contract-names.ts";

const ARTIFACTS = join(import.meta.dirname, "../../artifacts");

/** An entry of an ABI: a function, an event, an error or the constructor. */
export type AbiEntry = Readonly<Record<string, unknown>>;

/** A node of the compiler's syntax tree, as far as it is read here. */
export interface SyntaxNode {
  readonly nodeType: string;
  readonly [field: string]: unknown;
}

interface Artifact {
  readonly abi: AbiEntry[];
  readonly sourceName: string;
  readonly buildInfoId: string;
}

let files: Map<string, string> | undefined;

/**
 * A contract's artifact, wherever its source lies.
 *
 * @throws Error if the contracts have not been compiled.
 */
function artifactOf(name: ContractName): Artifact {
  files ??= new Map(
    globSync("**/*.sol/*.json", { cwd: ARTIFACTS, exclude: ["test/**"] }).map((file) => [basename(file), file]),
  );
  const file = files.get(`${name}.json`);
  if (file === undefined) throw new Error(`There is no artifact of ${name} in ${ARTIFACTS}: run npm run compile.`);
  return JSON.parse(readFileSync(join(ARTIFACTS, file), "utf8")) as Artifact;
}

/** A contract's ABI as the compiler made it. */
export function compiledAbi(name: ContractName): AbiEntry[] {
  return artifactOf(name).abi;
}

/** A contract's source, such as `contracts/core/vault/Vault.sol`. */
export function sourceOf(name: ContractName): string {
  return artifactOf(name).sourceName;
}

/** An ABI as it is kept: one entry a line, so that a change shows as what it is. */
export function formatAbi(abi: readonly AbiEntry[]): string {
  return `[\n${abi.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`;
}

/** Syntax trees of all sources that the contracts are compiled from, libraries included, by source name. */
export function syntaxTrees(): Map<string, SyntaxNode> {
  const trees = new Map<string, SyntaxNode>();
  const builds = new Set(CONTRACT_NAMES.map((name) => artifactOf(name).buildInfoId));
  const paths = [...builds].map((id) => join(ARTIFACTS, "build-info", `${id}.output.json`));
  // The newest last: a build compiles what has changed, and those before it have older trees of the same sources.
  for (const path of paths.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)) {
    const text = readFileSync(path, "utf8");
    const { output } = JSON.parse(text) as { output: { sources: Readonly<Record<string, { ast: SyntaxNode }>> } };
    for (const [source, { ast }] of Object.entries(output.sources)) trees.set(source, ast);
  }
  return trees;
}

/** Every node of one type in a tree, in the order of the source. */
export function nodesOf(tree: unknown, type: string): SyntaxNode[] {
  if (Array.isArray(tree)) return tree.flatMap((each) => nodesOf(each, type));
  if (typeof tree !== "object" || tree === null) return [];
  const node = tree as SyntaxNode;
  const inner = Object.values(node).flatMap((field) => nodesOf(field, type));
  return node.nodeType === type ? [node, ...inner] : inner;
}
