import { z } from "zod";

import { rowSchema } from "../database/columns.ts";
import { tableOf, type TableName } from "../database/tables.ts";

/** Entries of a page: what is asked for unless told otherwise, and the maximum. */
const PAGE = { usual: 50, max: 200 } as const;

const whole = z.number().int().nonnegative();

/** As of which block an answer is. */
export const asOf = z
  .strictObject({
    block: whole.describe("history is complete up to this block"),
    hash: z.string().describe("its hash"),
    time: whole.describe("its chain time, seconds"),
    head: whole.describe("the chain's newest block at the last look"),
    atHead: z.boolean().describe("whether history is at the chain's newest block"),
  })
  .describe("As of which block this is. Read the chain itself where money depends on it.");

export type AsOf = z.output<typeof asOf>;

/** An id in a path or a filter. */
export const id = z.coerce.number().int().min(0).max(0xffff_ffff);

/** An address, in any case. */
export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address" })
  .transform((text) => text.toLowerCase());

/** A moment. */
export const seconds = z.coerce
  .number()
  .int()
  .min(0)
  .max(2 ** 40);

const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(PAGE.max)
  .default(PAGE.usual)
  .describe(`Maximum of entries, up to ${String(PAGE.max)}.`);

const cursor = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]+$/, { error: "has to be the `next` of an earlier answer" })
  .optional()
  .describe("`next` of the answer before: where to go on.");

/** What every list takes. */
export const paging = { limit, cursor };

/** Newest first, or oldest first. */
export const order = z.enum(["desc", "asc"]).default("desc").describe("Newest first, or oldest first.");

/** The schema of a table's row. */
export const row = (name: TableName): z.ZodObject => rowSchema(tableOf(name).columns);

/** The answer with one thing. */
export const one = <T extends z.ZodType>(item: T) => z.strictObject({ asOf, item });

/** The answer with a page of things. */
export const page = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    asOf,
    items: z.array(item).max(PAGE.max),
    next: z.string().nullable().describe("where the next page begins; null after the last"),
  });
