import { type AstNode, childOf, childrenOf, nodesOf, rangeOf, typeOf } from "./ast.ts";

/** What a mutant changes. */
export type MutantKind = "condition" | "boundary" | "arithmetic" | "rounding" | "access";

/** A small fault that is put into a contract, to see whether a test finds it. */
export interface Mutant {
  /** What it is called from one version of the code to the next: file, function, kind, code, and a number where these repeat. */
  readonly key: string;
  /** From 1: what switches it on. */
  readonly id: number;
  readonly file: string;
  /** Contract and function. */
  readonly where: string;
  readonly line: number;
  readonly kind: MutantKind;
  readonly before: string;
  readonly after: string;
}

/** A source file with its tree. */
export interface SourceFile {
  /** Below the project, such as `contracts/core/vault/Vault.sol`. */
  readonly file: string;
  readonly text: string;
  readonly ast: AstNode;
}

/** What replaces a piece of code, and what is said of it. */
interface Change {
  readonly kind: MutantKind;
  readonly text: string;
}

/** A piece of code that has mutants. */
interface Site {
  readonly start: number;
  readonly end: number;
  readonly where: string;
  readonly changes: readonly (Change & { readonly id: number })[];
  /** Put in place of the piece: an expression that chooses by the switch. */
  readonly choose: (original: string) => string;
}

const BOUNDARIES: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const CONDITIONS: Readonly<Record<string, string>> = { "==": "!=", "!=": "==", "&&": "||", "||": "&&" };
const ARITHMETIC: Readonly<Record<string, string>> = { "+": "-", "-": "+", "*": "/", "%": "/" };

/** Modifiers that run once in a contract's life, before anybody can call it. */
const NOT_ACCESS = new Set(["initialiser"]);

/**
 * Puts every mutant of a set of files into them at once: each stands behind a switch, so that one build serves all of them, and
 * with no switch on the code does what it did.
 *
 * Mutated are conditions (negated, left out, joined otherwise), boundaries, arithmetic, rounding and access checks, in
 * functions; not what is computed before deployment, assembly, or what events and errors say. Pure. O(size of the trees).
 *
 * @param definitions All trees that modifiers may be defined in.
 */
export function mutate(
  files: readonly SourceFile[],
  definitions: readonly SourceFile[],
): { readonly mutants: Mutant[]; readonly texts: ReadonlyMap<string, string> } {
  const mutants: Mutant[] = [];
  const texts = new Map<string, string>();
  const modifiers = new Map(
    definitions.flatMap(({ text, ast }) => {
      const bytes = Buffer.from(text);
      return nodesOf(ast, "ModifierDefinition").map((node) => [node.id, { node, bytes }] as const);
    }),
  );
  for (const source of files) {
    const bytes = Buffer.from(source.text);
    const first = mutants.length;
    const names = new Map<string, number>();
    const note: Note = (where, at, change, before) => {
      const one = (text: string): string => text.replaceAll(/\s+/g, " ").trim();
      const name = `${source.file} ${where} ${change.kind} ${one(before)} → ${one(change.text)}`;
      const count = (names.get(name) ?? 0) + 1;
      names.set(name, count);
      const line = bytes.subarray(0, at).toString().split("\n").length;
      const id = mutants.length + 1;
      const key = count === 1 ? name : `${name} (${String(count)})`;
      mutants.push({
        key,
        id,
        file: source.file,
        where,
        line,
        kind: change.kind,
        before: one(before),
        after: one(change.text),
      });
      return id;
    };
    const text = new Mutator(bytes, note, modifiers).text(source.ast);
    if (mutants.length > first) texts.set(source.file, text);
  }
  return { mutants, texts };
}

/** Gives a mutant its number. */
type Note = (where: string, at: number, change: Change, before: string) => number;

/** Definitions of modifiers by the number of their node, with the file that each stands in. */
type Modifiers = ReadonlyMap<number, { readonly node: AstNode; readonly bytes: Buffer }>;

/** Rewrites one file. */
class Mutator {
  readonly #bytes: Buffer;
  readonly #note: Note;
  readonly #modifiers: Modifiers;
  readonly #sites: Site[] = [];
  /** Text put in at a place, in bytes. */
  readonly #inserted = new Map<number, string>();

  constructor(bytes: Buffer, note: Note, modifiers: Modifiers) {
    this.#bytes = bytes;
    this.#note = note;
    this.#modifiers = modifiers;
  }

  text(ast: AstNode): string {
    for (const contract of childrenOf(ast)) this.#contract(contract);
    return this.#rewritten(
      0,
      this.#bytes.length,
      this.#sites.toSorted((a, b) => a.start - b.start || b.end - a.end),
    );
  }

  #contract(node: AstNode): void {
    if (node.nodeType === "FunctionDefinition") this.#function(node, String(node["name"]));
    if (node.nodeType !== "ContractDefinition" || node["contractKind"] === "interface") return;
    for (const member of childrenOf(node)) {
      const name = `${String(node["name"])}.${String(member["name"]) || String(member["kind"])}`;
      // Modifiers are left out where they are used: what is wrong in one itself would be wrong in all of these.
      if (member.nodeType === "FunctionDefinition") this.#function(member, name, node);
    }
  }

  #function(node: AstNode, where: string, contract?: AstNode): void {
    const body = childOf(node, "body");
    if (!body) return;
    this.#statements(body, where);
    if (contract && node["kind"] !== "constructor") {
      for (const used of childrenOf(node).filter(({ nodeType }) => nodeType === "ModifierInvocation"))
        this.#access(used, where, contract);
    }
  }

  /** A function whose modifier does nothing: a second modifier beside the first lets the switch decide. */
  #access(used: AstNode, where: string, contract: AstNode): void {
    const named = childOf(used, "modifierName");
    const found = this.#modifiers.get(Number(named?.["referencedDeclaration"]));
    const name = String(named?.["name"]);
    if (!named || !found || NOT_ACCESS.has(name)) return;
    const at = rangeOf(named);
    const change = { kind: "access", text: "" } as const;
    const id = this.#note(where, at.start, change, this.#raw(rangeOf(used).start, rangeOf(used).end));
    const { node, bytes } = found;
    const slice = (part: AstNode | undefined): string => {
      if (!part) return "";
      const { start, end } = rangeOf(part);
      return bytes.subarray(start, end).toString();
    };
    const given = slice(childOf(node, "parameters")) || "()";
    const made = `modifier ${name}__${String(id)}${given} { if (Mutant.on(${String(id)})) { _; } else ${slice(childOf(node, "body"))} }\n`;
    const end = rangeOf(contract).end - 1;
    this.#inserted.set(end, (this.#inserted.get(end) ?? "") + made);
    this.#sites.push({ ...at, where, changes: [], choose: () => `${name}__${String(id)}` });
  }

  #statements(node: AstNode | undefined, where: string): void {
    if (!node || node.nodeType === "InlineAssembly") return;
    // What is said of a failure or an event changes nothing that the contract does.
    if (node.nodeType === "RevertStatement" || node.nodeType === "EmitStatement") return;
    const { start, end } = rangeOf(node);
    const changes = this.#changes(node);
    if (changes.length > 0) {
      const before = this.#raw(start, end);
      const made = changes.map((change) => ({ ...change, id: this.#note(where, start, change, before) }));
      const choose = (original: string): string =>
        `(${made.map(({ id, text }) => `Mutant.on(${String(id)}) ? ${text} : `).join("")}(${original}))`;
      this.#sites.push({ start, end, where, changes: made, choose });
    }
    for (const child of childrenOf(node)) this.#statements(this.#conditioned(node, child), where);
  }

  /** Marks the condition of an `if` or a choice, which is negated, or left out where it only guards. */
  #conditioned(parent: AstNode, child: AstNode): AstNode {
    const isCondition =
      (parent.nodeType === "IfStatement" || parent.nodeType === "Conditional") && parent["condition"] === child;
    if (!isCondition) return child;
    const guards = parent.nodeType === "IfStatement" && onlyReverts(childOf(parent, "trueBody"));
    return { ...child, conditionOf: guards ? "guard" : "choice" };
  }

  #changes(node: AstNode): Change[] {
    const { start, end } = rangeOf(node);
    const whole = this.#raw(start, end);
    const changes: Change[] = [];
    if (node["conditionOf"] === "guard") changes.push({ kind: "condition", text: "false" });
    if (node["conditionOf"] === "choice") changes.push({ kind: "condition", text: `!(${whole})` });
    if (node.nodeType === "BinaryOperation") changes.push(...this.#binary(node));
    if (node.nodeType === "FunctionCall") changes.push(...this.#rounding(node, whole));
    return changes;
  }

  #binary(node: AstNode): Change[] {
    const [left, right] = [childOf(node, "leftExpression"), childOf(node, "rightExpression")];
    if (!left || !right || typeOf(node).startsWith("int_const") || typeOf(node).startsWith("rational_const")) return [];
    const operator = String(node["operator"]);
    const [a, b] = [
      this.#raw(rangeOf(left).start, rangeOf(left).end),
      this.#raw(rangeOf(right).start, rangeOf(right).end),
    ];
    const other = (to: string): string => `((${a}) ${to} (${b}))`;
    const boundary = BOUNDARIES[operator];
    if (boundary !== undefined) return [{ kind: "boundary", text: other(boundary) }];
    const condition = CONDITIONS[operator];
    // A whole condition is negated already.
    const isNegation = operator === "==" || operator === "!=";
    if (condition !== undefined)
      return isNegation && node["conditionOf"] !== undefined ? [] : [{ kind: "condition", text: other(condition) }];
    if (operator === "/") return [{ kind: "rounding", text: `((${a}) / (${b}) + ((${a}) % (${b}) == 0 ? 0 : 1))` }];
    const arithmetic = ARITHMETIC[operator];
    return arithmetic === undefined ? [] : [{ kind: "arithmetic", text: other(arithmetic) }];
  }

  /** A quotient that is rounded the other way. */
  #rounding(node: AstNode, whole: string): Change[] {
    const called = childOf(node, "expression");
    const given = node["arguments"];
    if (!called || !Array.isArray(given)) return [];
    if (called["memberName"] === "ceilDiv" && given.length === 2) {
      const [a, b] = (given as AstNode[]).map((each) => this.#raw(rangeOf(each).start, rangeOf(each).end));
      return [{ kind: "rounding", text: `((${a ?? ""}) / (${b ?? ""}))` }];
    }
    if (called["memberName"] !== "mulDiv") return [];
    const text = whole.includes("Rounding.Ceil")
      ? whole.replace("Rounding.Ceil", "Rounding.Floor")
      : whole.replace("Rounding.Floor", "Rounding.Ceil");
    return text === whole ? [] : [{ kind: "rounding", text }];
  }

  #raw(start: number, end: number): string {
    return this.#bytes.subarray(start, end).toString();
  }

  /** Text of a stretch with its sites replaced, the inner ones first. `sites`: sorted, each within the stretch. */
  #rewritten(start: number, end: number, sites: readonly Site[]): string {
    let [text, at] = ["", start];
    const plain = (to: number): void => {
      for (const [place, made] of this.#inserted) {
        if (place < at || place >= to) continue;
        text += this.#raw(at, place) + made;
        at = place;
      }
      text += this.#raw(at, to);
      at = to;
    };
    for (let index = 0; index < sites.length;) {
      const site = sites[index];
      if (!site) break;
      let next = index + 1;
      while ((sites[next]?.start ?? end) < site.end) next += 1;
      plain(site.start);
      text += site.choose(this.#rewritten(site.start, site.end, sites.slice(index + 1, next)));
      at = site.end;
      index = next;
    }
    plain(end);
    return text;
  }
}

/** Whether all that a body does is to fail. */
function onlyReverts(body: AstNode | undefined): boolean {
  if (body?.nodeType === "RevertStatement") return true;
  const inside = body ? childrenOf(body) : [];
  return body?.nodeType === "Block" && inside.length === 1 && inside[0]?.nodeType === "RevertStatement";
}

/** The beneficiary that switches nothing on, and has each place tell the simulator that it was come to. */
export const RECORDING = 2n ** 160n - 1n;

/**
 * The library by which the switch is read: the block's beneficiary, which nothing else here looks at. Under {@link RECORDING} it tells
 * the address at which Hardhat's simulator collects what was executed.
 */
export const SWITCH = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

library Mutant {
    function on(uint256 id) internal pure returns (bool) {
        function(uint256) internal view returns (bool) reads = _on;
        function(uint256) internal pure returns (bool) asks;
        assembly ("memory-safe") {
            asks := reads
        }
        return asks(id);
    }

    function _on(uint256 id) private view returns (bool) {
        uint160 at = uint160(address(block.coinbase));
        if (at == type(uint160).max) {
            assembly ("memory-safe") {
                let place := mload(0x40)
                mstore(place, id)
                pop(staticcall(gas(), 0xc0bEc0BEc0BeC0bEC0beC0bEC0bEC0beC0beC0BE, place, 32, 0, 0))
            }
        }
        return at == id;
    }
}
`;
