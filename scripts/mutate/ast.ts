/** The parts of a Solidity syntax tree, as solc prints it, that are looked at here. */
export interface AstNode {
  readonly id: number;
  readonly nodeType: string;
  /** Start, length and number of the file, in bytes. */
  readonly src: string;
  readonly [key: string]: unknown;
}

/** Whether something is a node of a syntax tree. */
function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

/** A node's child by name, if it has one. */
export function childOf(node: AstNode, name: string): AstNode | undefined {
  const value = node[name];
  return isNode(value) ? value : undefined;
}

/** All children of a node, in the order of the tree. */
export function childrenOf(node: AstNode): AstNode[] {
  return Object.values(node).flatMap((value): AstNode[] => {
    if (isNode(value)) return [value];
    return Array.isArray(value) ? value.filter(isNode) : [];
  });
}

/** All nodes of a kind below a node. */
export function nodesOf(root: AstNode, type: string): AstNode[] {
  const below = childrenOf(root).flatMap((child) => nodesOf(child, type));
  return root.nodeType === type ? [root, ...below] : below;
}

/** Where a node stands in its file, in bytes. */
export function rangeOf({ src }: AstNode): { readonly start: number; readonly end: number } {
  const [start = 0, length = 0] = src.split(":").map(Number);
  return { start, end: start + length };
}

/** The name of a node's type, such as `uint256`. */
export function typeOf(node: AstNode | undefined): string {
  const { typeString } = (node?.["typeDescriptions"] ?? {}) as { typeString?: string };
  return typeString ?? "";
}
