import { TABLES, tableOf, type TableName } from "@verai/indexer/database/tables";
import { rowSchema } from "@verai/indexer/database/columns";
import { openApi } from "@verai/indexer/api/openapi";
import { z } from "zod";

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maxItems?: number;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly default?: unknown;
}

interface Operation {
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly responses: {
    readonly 200: { readonly content: { readonly "application/json": { readonly schema: JsonSchema } } };
  };
}

/** Names of entries that are no plain row of a table, by the last word of the page's path. */
const NAMES: Readonly<Record<string, string>> = {
  network: "network",
  classes: "nodeClass",
  leases: "lease",
  checkpoints: "checkpoint",
  search: "hit",
};

/** Entries of a list that the API does not bound itself. */
const MAX_ENTRIES = 10_000;

/** The module by which the web application asks an indexer: schemas of all answers, and the parameters of all pages. */
export function webApi(): string {
  const { paths } = openApi() as { paths: Readonly<Record<string, { readonly get: Operation }>> };
  const known = new Map<string, string>();
  for (const name of Object.keys(TABLES) as TableName[]) {
    const { $schema: _, ...row } = z.toJSONSchema(rowSchema(tableOf(name).columns), { unrepresentable: "any" });
    known.set(JSON.stringify(row), singular(name));
  }
  const schemas = new Map<string, { readonly text: string; readonly about: string }>();
  const routes: string[] = [];
  const parameters: string[] = [];
  for (const [path, { get }] of Object.entries(paths)) {
    const { properties = {} } = get.responses[200].content["application/json"].schema;
    if (properties["asOf"])
      schemas.set("asOf", { text: zod(properties["asOf"]), about: "As of which block an answer is" });
    const define = (entry: JsonSchema): string => {
      const name = known.get(JSON.stringify(entry)) ?? NAMES[/(\w+)(\/\{id\})?$/.exec(path)?.[1] ?? ""];
      if (name === undefined) throw new Error(`scripts/reference/web-api.ts names no entry of ${path}.`);
      if (!schemas.has(name)) schemas.set(name, { text: zod(entry), about: get.summary });
      return name;
    };
    const fieldsOf = Object.entries(properties).map(([field, schema]): string => {
      if (field === "asOf") return "asOf";
      if (field === "next") return "next: z.nullable(z.string())";
      const max = schema.maxItems ?? MAX_ENTRIES;
      return schema.items
        ? `${field}: z.array(${define(schema.items)}).check(z.maxLength(${String(max)}))`
        : `${field}: ${define(schema)}`;
    });
    routes.push(`  /** ${get.summary}. */\n  ${JSON.stringify(path)}: z.object({ ${fieldsOf.join(", ")} }),`);
    const fields = get.parameters.map(
      ({ name: field, in: place, schema }) => `${field}${place === "path" ? "" : "?"}: ${typeOf(schema)}`,
    );
    parameters.push(
      `  ${JSON.stringify(path)}: ${fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`};`,
    );
  }
  return [
    "// Written by `npm run docs:reference` from the indexer's OpenAPI; do not edit.",
    "",
    'import { z } from "zod/mini";',
    "",
    ...[...schemas].flatMap(([name, { text, about }]) => [
      `/** ${about}. */`,
      `const ${name} = ${text};`,
      "",
      `/** ${about}. */`,
      `export type ${capital(name)} = z.output<typeof ${name}>;`,
      "",
    ]),
    "/** Schemas of the answers, by page. */",
    "export const ANSWERS = {",
    ...routes,
    "} as const;",
    "",
    "/** What each page takes. */",
    "export interface Parameters {",
    ...parameters,
    "}",
    "",
  ].join("\n");
}

function singular(name: string): string {
  return name === "classes"
    ? "nodeClassRow"
    : name
        .replace(/Classes$/, "Class")
        .replace(/(batch)es$/, "$1")
        .replace(/(?<!s)s$/, "");
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** A schema as an expression of zod's small form. */
function zod(schema: JsonSchema): string {
  if (typeof schema.type === "object") {
    const [type] = schema.type.filter((each) => each !== "null");
    return `z.nullable(${zod({ ...schema, type: type ?? "null" })})`;
  }
  if (schema.anyOf) {
    const some = schema.anyOf.filter(({ type }) => type !== "null");
    const text = some.length === 1 ? zod(some[0] ?? {}) : `z.union([${some.map(zod).join(", ")}])`;
    return some.length < schema.anyOf.length ? `z.nullable(${text})` : text;
  }
  if (schema.enum) return `z.enum(${JSON.stringify(schema.enum)})`;
  if (schema.prefixItems) return `z.tuple([${schema.prefixItems.map(zod).join(", ")}])`;
  switch (schema.type) {
    case "integer":
      return schema.minimum === 0 ? "z.int().check(z.nonnegative())" : "z.int()";
    case "string":
      return schema.pattern === undefined ? "z.string()" : `z.string().check(z.regex(/${schema.pattern}/))`;
    case "boolean":
      return "z.boolean()";
    case "array":
      return `z.array(${zod(schema.items ?? {})})`;
    case "object":
      if (!schema.properties) return "z.record(z.string(), z.unknown())";
      return `z.object({\n${Object.entries(schema.properties)
        .map(
          ([name, each]) =>
            `${each.description === undefined ? "" : `  /** ${each.description} */\n`}  ${name}: ${zod(each)},`,
        )
        .join("\n")}\n})`;
    default:
      return "z.unknown()";
  }
}

/** A parameter's type. */
function typeOf({ enum: words, type }: JsonSchema): string {
  if (words) return words.map((word) => JSON.stringify(word)).join(" | ");
  return type === "integer" ? "number" : "string";
}
