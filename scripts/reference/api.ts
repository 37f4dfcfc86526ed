import { TABLES, tableOf, type TableName } from "@verai/indexer/database/tables";
import { openApi } from "@verai/indexer/api/openapi";

import { GENERATED, table } from "./source.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: { readonly enum?: readonly string[]; readonly default?: unknown };
}

/** Page of the indexer's API, from its OpenAPI description and its tables. */
export function apiPage(): string {
  const { paths } = openApi() as {
    paths: Record<string, { get: { summary: string; parameters: readonly Parameter[] } }>;
  };
  const names = Object.keys(TABLES) as TableName[];
  return [
    "# History over HTTP",
    "",
    GENERATED,
    "",
    "Pages of the [indexer](../guides/history.md), to `GET`. `/openapi.json` of each indexer describes them for programs. Lists also take",
    "`limit` and `cursor`; `order` is `desc` (newest first) or `asc`.",
    "",
    "## Pages",
    "",
    table(
      ["page", "answers with", "takes"],
      Object.entries(paths).map(([path, { get }]) => [`\`${path}\``, get.summary, taken(get.parameters)]),
    ),
    "",
    "Beside them: `/v1/live` (server-sent events), `/v1/status` and `/ready` (200 at the chain's newest block, else 503), `/openapi.json`.",
    "",
    ...names.flatMap((name) => section(name)),
  ].join("\n");
}

const EVERYWHERE = new Set(["limit", "cursor", "order"]);

function taken(parameters: readonly Parameter[]): string {
  return parameters
    .filter((parameter) => parameter.in === "query" && !EVERYWHERE.has(parameter.name))
    .map(({ name, schema }) => {
      const words = schema.enum && schema.enum.length <= 12 ? `: ${schema.enum.join(", ")}` : "";
      return `\`${name}\`${words}`;
    })
    .join("; ");
}

/** Fields of a table's entries. */
function section(name: TableName): string[] {
  const { about, columns } = tableOf(name);
  return [
    `## ${name}`,
    "",
    `${about}.`,
    "",
    table(
      ["field", "kind", "meaning"],
      Object.entries(columns).map(([field, { kind, nullable, about: meaning }]) => [
        `\`${field}\``,
        `${KINDS[kind]}${nullable ? " or null" : ""}`,
        meaning,
      ]),
    ),
    "",
  ];
}

const KINDS = {
  int: "number",
  text: "text",
  wei: "whole number as text",
  bool: "true or false",
  json: "JSON",
} as const;
