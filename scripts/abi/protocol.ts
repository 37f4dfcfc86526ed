import { nodesOf, type SyntaxNode } from "./compiled.ts";

/** Sources of this project, as the compiler names them; others are libraries. */
const OWN = /^(project\/)?contracts\//;

/** An enumeration: its members in camel case, in the order of their numbers. */
export type Enums = Readonly<Record<string, readonly string[]>>;

/** A governed parameter, from a member of the enumeration `Param`. */
export interface ParameterSource {
  readonly name: string;
  readonly unit: string;
  readonly summary: string;
}

/** EIP-712 types by the name of what is signed, each with those that it uses. */
export type TypedData = Readonly<Record<string, Readonly<Record<string, readonly { name: string; type: string }[]>>>>;

/** Every enumeration of the project's contracts by its name. @throws Error if two have the same name. */
export function enumsOf(trees: ReadonlyMap<string, SyntaxNode>): Enums {
  const found: Record<string, readonly string[]> = {};
  for (const node of own(trees).flatMap((tree) => nodesOf(tree, "EnumDefinition"))) {
    const name = String(node["name"]);
    if (found[name] !== undefined) throw new Error(`Two enumerations are called ${name}: rename one.`);
    found[name] = membersOf(node).map((member) => uncapitalised(String(member["name"])));
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The governed parameters in the order of their ids. @throws Error if one's comment does not say its unit. */
export function parametersOf(trees: ReadonlyMap<string, SyntaxNode>): ParameterSource[] {
  const [param] = own(trees)
    .flatMap((tree) => nodesOf(tree, "EnumDefinition"))
    .filter(({ name }) => name === "Param");
  if (!param) throw new Error("The contracts have no enumeration Param.");
  let summary = "";
  return membersOf(param).map((member) => {
    const name = String(member["name"]);
    // Neighbours can share a comment.
    summary = textOf(member["documentation"]) || summary;
    return { name: uncapitalised(name), unit: unitOf(name, summary), summary };
  });
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/micro-VER/, "micro-VER"],
  [/basis points/, "basis points"],
  [/\bms\b|milliseconds/, "ms"],
  [/number of|how many/i, "count"],
  // "Durations are seconds", says the enumeration.
  [/time|silence|seconds|interval/i, "seconds"],
];

function unitOf(name: string, summary: string): string {
  const unit = UNITS.find(([says]) => says.test(`${name}: ${summary}`))?.[1];
  if (unit === undefined) throw new Error(`The comment of Param.${name} does not say its unit: "${summary}".`);
  return unit;
}

/** Public constants of the contracts that are plain numbers, by contract and name; times in seconds. */
export function constantsOf(trees: ReadonlyMap<string, SyntaxNode>): Record<string, Record<string, number>> {
  const found: Record<string, Record<string, number>> = {};
  for (const contract of own(trees).flatMap((tree) => nodesOf(tree, "ContractDefinition"))) {
    const constants = (contract["nodes"] as SyntaxNode[]).flatMap((node) => {
      const value = node["constant"] === true && node["visibility"] === "public" ? numberOf(node["value"]) : undefined;
      return value === undefined ? [] : [[String(node["name"]), value] as const];
    });
    if (constants.length > 0) found[String(contract["name"])] = Object.fromEntries(constants);
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const SECONDS: Readonly<Record<string, number>> = {
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
  weeks: 604_800,
};

/** A number that stands in the source as it is; undefined for all that is computed or that a double does not hold. */
function numberOf(value: unknown): number | undefined {
  const literal = value as
    | { nodeType?: unknown; kind?: unknown; value?: unknown; subdenomination?: unknown }
    | undefined;
  if (literal?.nodeType !== "Literal" || literal.kind !== "number" || typeof literal.value !== "string")
    return undefined;
  const unit = typeof literal.subdenomination === "string" ? SECONDS[literal.subdenomination] : 1;
  const number = Number(literal.value.replaceAll("_", "")) * (unit ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Signed types of OpenZeppelin's that clients sign. */
const OF_LIBRARIES: readonly string[] = ["Permit", "UserOperationRequest"];

/** Accounts and sponsors sign in domains of their own, which they tell themselves (ERC-5267). */
const ACCOUNTS = /contracts\/accounts\//;

/** The types that the contracts hash for signatures: constants such as `keccak256("Report(uint32 nodeId,…)…")`. */
export function typedDataOf(trees: ReadonlyMap<string, SyntaxNode>): TypedData {
  const found: Record<string, TypedData[string]> = {};
  for (const [source, tree] of trees) {
    for (const variable of nodesOf(tree, "VariableDeclaration")) {
      const text = hashed(variable["value"]);
      const types = text === undefined ? undefined : parseTypes(text);
      const [name] = Object.keys(types ?? {});
      // Of libraries only what the token and a paymaster take; of types within types only the outermost is signed.
      if (types && name !== undefined && (OWN.test(source) || OF_LIBRARIES.includes(name))) found[name] = types;
    }
  }
  const inner = new Set(Object.values(found).flatMap((types) => Object.keys(types).slice(1)));
  return Object.fromEntries(
    Object.entries(found)
      .filter(([name]) => !inner.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The text within `keccak256("…")`. */
function hashed(value: unknown): string | undefined {
  const call = value as { expression?: { name?: unknown }; arguments?: { value?: unknown }[] } | undefined;
  const text = call?.expression?.name === "keccak256" ? call.arguments?.[0]?.value : undefined;
  return typeof text === "string" ? text : undefined;
}

/** `Report(uint32 nodeId,Share[] shares)Share(uint32 leaseId)` as types by name; undefined if it is no such text. */
function parseTypes(text: string): TypedData[string] | undefined {
  const types = [...text.matchAll(/([A-Z]\w*)\(([^()]*)\)/g)];
  if (types.length === 0 || types.map(([whole]) => whole).join("") !== text) return undefined;
  return Object.fromEntries(
    types.map(([, name = "", fields = ""]) => [
      name,
      fields.split(",").map((field) => {
        const [type = "", its = ""] = field.split(" ");
        return { name: its, type };
      }),
    ]),
  );
}

/** The EIP-712 domain of signatures for the project's contracts: name and version given to OpenZeppelin's `EIP712`. */
export function domainOf(trees: ReadonlyMap<string, SyntaxNode>): { readonly name: string; readonly version: string } {
  const domains = own(new Map([...trees].filter(([source]) => !ACCOUNTS.test(source))))
    .flatMap((tree) => nodesOf(tree, "ModifierInvocation"))
    .filter(({ modifierName }) => (modifierName as { name?: unknown }).name === "EIP712")
    .map((call) => (call["arguments"] as { value?: unknown }[]).map(({ value }) => value).join("\n"));
  const [domain, ...others] = new Set(domains);
  const [name, version] = domain?.split("\n") ?? [];
  if (name === undefined || version === undefined || others.length > 0) {
    throw new Error(`The contracts sign in ${String(new Set(domains).size)} domains instead of one.`);
  }
  return { name, version };
}

function own(trees: ReadonlyMap<string, SyntaxNode>): SyntaxNode[] {
  return [...trees].flatMap(([source, tree]) => (OWN.test(source) ? [tree] : []));
}

function membersOf(node: SyntaxNode): SyntaxNode[] {
  return node["members"] as SyntaxNode[];
}

function textOf(documentation: unknown): string {
  const text = (documentation as { text?: unknown } | undefined)?.text;
  return typeof text === "string" ? text.replace(/\s+/g, " ").trim() : "";
}

function uncapitalised(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
