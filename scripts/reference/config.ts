import { agentConfig } from "@verai/agent/config";
import { developerConfig, taskTerms } from "@verai/developer/config";
import { indexerConfig } from "@verai/indexer/config";
import { sponsorConfig } from "@verai/sponsor/config";
import { keeperConfig } from "@verai/keepers/config";
import { fees, keySource, network, service } from "@verai/process/schema";
import ts from "typescript";
import { z } from "zod";

import { commentOf, files, GENERATED, parsed, table } from "./source.ts";

/** Entries that several programs share, by the name of their schema. */
const SHARED: Readonly<Record<string, readonly [title: string, schema: z.ZodType]>> = {
  network: ["Network", network],
  fees: ["Fees", fees],
  keySource: ["Keys", keySource],
  service: ["Service", service],
};

const PROGRAMS: readonly (readonly [title: string, name: string, schema: z.ZodType, about: string])[] = [
  ["Agent", "agentConfig", agentConfig, "`node agent/main.ts run --config agent.json`"],
  ["Keeper", "keeperConfig", keeperConfig, "`node keepers/main.ts run --config keeper.json`"],
  ["Indexer", "indexerConfig", indexerConfig, "`node indexer/main.ts run --config indexer.json`"],
  ["Sponsor", "sponsorConfig", sponsorConfig, "`node sponsor/main.ts run --config sponsor.json`"],
  [
    "Developer's client",
    "developerConfig",
    developerConfig,
    "`node developer/main.ts train --config developer.json …`",
  ],
  ["Terms of a task", "taskTerms", taskTerms, "`--terms terms.json` of the developer's client"],
];

/** Page of every entry of every configuration file, from the schemas and the comments in them. */
export function configPage(): string {
  const consts = declarations();
  const shared = Object.entries(SHARED).map(([name, [title, schema]]) => section(title, consts, name, schema));
  const programs = PROGRAMS.map(([title, name, schema, about]) => section(title, consts, name, schema, about));
  return [
    "# Configuration",
    "",
    GENERATED,
    "",
    "Every entry of every configuration file. Files are JSON; an unknown entry is an error. Amounts of VER and ETH are texts, such as",
    '`"0.012"`. Entries without a default are optional unless they are marked _required_. `check` of each program tests a file before you',
    "run it ([setting up](../guides/setup.md#check-before-you-run)).",
    "",
    ...programs,
    ...shared,
  ].join("\n");
}

/** Constants of the files with schemas, by name. */
function declarations(): Map<string, ts.Expression> {
  const found = new Map<string, ts.Expression>();
  for (const file of files("packages/process/schema.ts", "{agent,keepers,developer,indexer,sponsor}/*config.ts")) {
    parsed(file).forEachChild((node) => {
      if (!ts.isVariableStatement(node)) return;
      for (const { name, initializer } of node.declarationList.declarations) {
        if (ts.isIdentifier(name) && initializer) found.set(name.text, initializer);
      }
    });
  }
  return found;
}

interface Json {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly items?: Json;
  readonly additionalProperties?: Json | boolean;
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

function section(
  title: string,
  consts: ReadonlyMap<string, ts.Expression>,
  name: string,
  schema: z.ZodType,
  about = "",
): string {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" }) as Json;
  const declared = consts.get(name);
  if (!declared) throw new Error(`no schema ${name}`);
  const own = declared.parent.parent.parent;
  const said = Object.hasOwn(SHARED, name) || name === "taskTerms" ? commentOf(own) : "";
  const rows = rowsOf("", json, declared, consts, false);
  return [
    `## ${title}`,
    "",
    ...[about, said].filter((text) => text !== "").flatMap((text) => [text, ""]),
    table(["entry", "type", "default", "meaning"], rows),
    "",
  ].join("\n");
}

/** Rows of an object and of what is inside it. */
function rowsOf(
  prefix: string,
  json: Json,
  expression: ts.Expression | undefined,
  consts: ReadonlyMap<string, ts.Expression>,
  optional: boolean,
): string[][] {
  const variants = json.anyOf ?? json.oneOf;
  if (variants) {
    const objects = variants.filter(({ properties }) => properties);
    return objects.flatMap((one, i) => {
      const kind = one.properties?.["kind"]?.const;
      const of = expression ? optionOf(expression, i, consts) : undefined;
      const label = typeof kind === "string" ? prefix.replace(/\.$/, ` (${kind}).`) : prefix;
      return rowsOf(label, one, of, consts, optional || objects.length > 1);
    });
  }
  const fields = expression
    ? fieldsOf(expression, consts)
    : new Map<string, ts.PropertyAssignment | ts.ShorthandPropertyAssignment>();
  return Object.entries(json.properties ?? {}).flatMap(([key, value]) => {
    const field = fields.get(key);
    const inner = field && (ts.isPropertyAssignment(field) ? field.initializer : consts.get(field.name.text));
    const from = field && sharedIn(field);
    const path = `${prefix}${key}`;
    const needed = json.required?.includes(key) === true && value.default === undefined && !optional;
    const meaning = field ? commentOf(field) || commentOf(named(field, consts) ?? field) : "";
    const link =
      from === undefined ? "" : `See [${SHARED[from]?.[0] ?? ""}](#${(SHARED[from]?.[0] ?? "").toLowerCase()}).`;
    const row = [
      `\`${path}\``,
      from === undefined ? typeOf(value) : "object",
      needed ? "_required_" : defaultOf(value),
      [meaning, link].filter((text) => text !== "").join(" "),
    ];
    const nested = from === undefined ? inside(value) : undefined;
    const extra = from !== undefined && inner ? extensionOf(inner, path, value, consts) : [];
    return [
      row,
      ...extra,
      ...(nested ? rowsOf(`${path}${nested.mark}`, nested.json, inner, consts, optional || !needed) : []),
    ];
  });
}

/** What an entry holds that has entries of its own. */
function inside(json: Json): { readonly mark: string; readonly json: Json } | undefined {
  if (json.properties) return { mark: ".", json };
  const variants = json.anyOf ?? json.oneOf;
  if (variants?.some(({ properties }) => properties)) return { mark: ".", json };
  if (typeof json.additionalProperties === "object" && json.additionalProperties.properties) {
    return { mark: ".<name>.", json: json.additionalProperties };
  }
  return undefined;
}

/** The shared schema that an entry is, by its name. */
function sharedIn(field: ts.PropertyAssignment | ts.ShorthandPropertyAssignment): string | undefined {
  const first = ts.isShorthandPropertyAssignment(field)
    ? field.name.text
    : /^\w+/.exec(field.initializer.getText())?.[0];
  return first !== undefined && Object.hasOwn(SHARED, first) ? first : undefined;
}

/** The statement of the named schema that an entry without options of its own is. */
function named(
  field: ts.PropertyAssignment | ts.ShorthandPropertyAssignment,
  consts: ReadonlyMap<string, ts.Expression>,
): ts.Node | undefined {
  return ts.isShorthandPropertyAssignment(field) ? consts.get(field.name.text)?.parent.parent.parent : undefined;
}

/** Entries that a program adds to a shared schema. */
function extensionOf(
  expression: ts.Expression,
  path: string,
  json: Json,
  consts: ReadonlyMap<string, ts.Expression>,
): string[][] {
  if (!ts.isCallExpression(expression) || !/\.extend\(/.test(expression.getText())) return [];
  const added = expression.arguments[0];
  if (!added || !ts.isObjectLiteralExpression(added)) return [];
  const names = added.properties.map((one) => one.name?.getText() ?? "");
  const only = Object.fromEntries(Object.entries(json.properties ?? {}).filter(([key]) => names.includes(key)));
  return rowsOf(`${path}.`, { properties: only }, expression, consts, true);
}

/** The option of a union at a place, or the expression itself. */
function optionOf(expression: ts.Expression, at: number, consts: ReadonlyMap<string, ts.Expression>): ts.Expression {
  const list = unionOf(expression, consts);
  const objects = list?.filter((one) => fieldsOf(one, consts).size > 0);
  return objects?.[at] ?? expression;
}

function unionOf(
  expression: ts.Expression,
  consts: ReadonlyMap<string, ts.Expression>,
): readonly ts.Expression[] | undefined {
  if (ts.isIdentifier(expression)) return descend(consts.get(expression.text), (one) => unionOf(one, consts));
  if (!ts.isCallExpression(expression)) return undefined;
  const callee = expression.expression;
  const list = expression.arguments.find((one) => ts.isArrayLiteralExpression(one));
  if (list && /union/i.test(callee.getText().split("(")[0] ?? "")) return list.elements;
  return ts.isPropertyAccessExpression(callee) ? unionOf(callee.expression, consts) : undefined;
}

/** Entries of an object's schema, through `.prefault`, `.optional`, `.extend` and named schemas. */
function fieldsOf(
  expression: ts.Expression,
  consts: ReadonlyMap<string, ts.Expression>,
): Map<string, ts.PropertyAssignment | ts.ShorthandPropertyAssignment> {
  if (ts.isIdentifier(expression))
    return descend(consts.get(expression.text), (one) => fieldsOf(one, consts)) ?? new Map<string, never>();
  if (!ts.isCallExpression(expression)) return new Map();
  const callee = expression.expression;
  const found = new Map<string, ts.PropertyAssignment | ts.ShorthandPropertyAssignment>();
  if (!ts.isPropertyAccessExpression(callee)) return found;
  const method = callee.name.text;
  if (method === "record") return descend(expression.arguments.at(-1), (one) => fieldsOf(one, consts)) ?? found;
  if (!/^(strictObject|object)$/.test(method)) {
    for (const [key, field] of fieldsOf(callee.expression, consts)) found.set(key, field);
  }
  if (!/^(strictObject|object|extend)$/.test(method)) return found;
  const literal = expression.arguments[0];
  if (!literal || !ts.isObjectLiteralExpression(literal)) return found;
  for (const one of literal.properties) {
    if (ts.isPropertyAssignment(one) || ts.isShorthandPropertyAssignment(one)) found.set(one.name.getText(), one);
  }
  return found;
}

function descend<T>(expression: ts.Expression | undefined, go: (one: ts.Expression) => T): T | undefined {
  return expression && go(expression);
}

function typeOf(json: Json): string {
  if (json.const !== undefined) return `\`${JSON.stringify(json.const)}\``;
  if (json.enum) return json.enum.map((one) => `\`${JSON.stringify(one)}\``).join(", ");
  const variants = json.anyOf ?? json.oneOf;
  if (variants) return [...new Set(variants.map(typeOf))].join(" or ");
  if (json.type === "array") return `list of ${typeOf(json.items ?? {}).replace(/^text$/, "texts")}`;
  if (json.type === "object")
    return typeof json.additionalProperties === "object" && !json.additionalProperties.properties
      ? "object of texts"
      : "object";
  if (json.type === "string") return "text";
  if (json.type === "boolean") return "true or false";
  if (json.type !== "number" && json.type !== "integer") return "";
  const name = json.type === "integer" ? "whole number" : "number";
  const { minimum, maximum, exclusiveMinimum } = json;
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const bounds = [
    exclusiveMinimum === undefined
      ? minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER
        ? ""
        : shown(minimum)
      : `above ${shown(exclusiveMinimum)}`,
    most === undefined ? "" : shown(most),
  ];
  if (bounds[0] === "" && bounds[1] === "") return name;
  if (bounds[1] === "")
    return exclusiveMinimum === undefined ? `${name}, minimum ${bounds[0] ?? ""}` : `${name} ${bounds[0] ?? ""}`;
  if (bounds[0] === "") return `${name}, maximum ${bounds[1] ?? ""}`;
  return `${name}, ${bounds[0] ?? ""}${exclusiveMinimum === undefined ? " to" : ", maximum"} ${bounds[1] ?? ""}`;
}

const shown = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 6 });

function defaultOf(json: Json): string {
  const value = json.default;
  if (value === undefined || (typeof value === "object" && JSON.stringify(value) === "{}")) return "";
  return `\`${JSON.stringify(value)}\``;
}
