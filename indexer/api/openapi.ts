import { z } from "zod";

import { ROUTES, type Route } from "./routes.ts";

/** A schema as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Record<string, unknown>;
  return rest;
}

function parametersOf({ params, query }: Route): object[] {
  return (["path", "query"] as const).flatMap((place) => {
    const { properties = {}, required = [] } = schemaOf(place === "path" ? params : query, "input") as {
      properties?: Record<string, Record<string, unknown>>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: place === "path" || (required.includes(name) && schema["default"] === undefined),
      ...(description !== undefined && { description }),
      schema,
    }));
  });
}

const ERROR = {
  description: "The request cannot be answered; `error` says why",
  content: {
    "application/json": {
      schema: { type: "object", properties: { error: { type: "string" } }, required: ["error"] },
    },
  },
};

/** The API's description, OpenAPI 3.1, from the schemas that check requests and answers. */
export function openApi(): object {
  const paths = ROUTES.map((route) => [
    route.path,
    {
      get: {
        summary: route.summary,
        operationId: route.path.replace(/[{}]/g, "").split("/").slice(2).join("-"),
        parameters: parametersOf(route),
        responses: {
          200: {
            description: "As of the block that it names",
            content: { "application/json": { schema: schemaOf(route.answer, "output") } },
          },
          400: ERROR,
          404: ERROR,
        },
      },
    },
  ]);
  return {
    openapi: "3.1.0",
    info: {
      title: "DRMP history",
      version: "1",
      description:
        "What happened on chain, read from the contracts' events. A convenience: nobody has to trust it with a decision or with money. Amounts are whole wei as text, times are chain time in seconds, and every answer says as of which block it is.",
      license: { name: "MIT", identifier: "MIT" },
    },
    paths: Object.fromEntries(paths) as object,
  };
}
