import type { NodeClass } from "@verai/client/entities";
import { ChainError } from "@verai/client/errors";
import type { Wish } from "@verai/client/quote";
import { formatPrice, formatVer, parsePrice, parseVer } from "@verai/protocol/money/ver";
import type { TaskTerms } from "./config.ts";

/** A class that may serve a task. */
export interface RequestedClass {
  readonly classId: number;
  /** Such as `gpu-80g/eu`. */
  readonly name: string;
  /** Steers the task's units and is never paid, wei. */
  readonly surcharge: bigint;
}

/**
 * What a developer wants of a task beside its spec. Parsed once, where it is given: quote, dry run and submission take it
 * as it stands.
 */
export interface TaskRequest extends Wish {
  /** Ascending by id. */
  readonly classes: readonly RequestedClass[];
  /** Micro-VER for a kilogram of CO2, added to each class's surcharge; 0 for none. */
  readonly carbonPrice: number;
  /** Seconds between two checkpoints of a lease. */
  readonly checkpointInterval: number;
  /** Longest time that a unit may take, seconds; left out: {@link defaultUnitTime}. */
  readonly maxUnitTime?: number;
  /** Other nodes that must hold a checkpoint before it counts. */
  readonly replicas: number;
  /** Chance with which each segment of its work is audited at least, basis points; 0: no audits; left out: `auditChanceOf` says. */
  readonly auditChance?: number;
  /** Seconds from the submission until the deadline for results. */
  readonly within: number;
}

/**
 * The request that a file of terms makes.
 *
 * @param known Classes of the network.
 * @throws ChainError `UNKNOWN_CLASS`; MoneyError.
 */
export function requestOf(terms: TaskTerms, known: readonly NodeClass[]): TaskRequest {
  const { units, checkpointInterval, maxUnitTime, replicas, auditChance, within } = terms;
  const classes = Object.entries(terms.classes).map(([name, surcharge]): RequestedClass => {
    const classId = known.find((each) => each.name === name)?.id;
    if (classId === undefined) {
      throw new ChainError(
        "UNKNOWN_CLASS",
        false,
        `There is no class "${name}" on this network. Use one or more of: ${known.map((each) => each.name).join(", ")}.`,
      );
    }
    return { classId, name, surcharge: parseVer(surcharge) };
  });
  return {
    ...{ units, checkpointInterval, replicas, within },
    ...(auditChance !== undefined && { auditChance }),
    ...(maxUnitTime !== undefined && { maxUnitTime }),
    maxPrice: parseVer(terms.maxPrice),
    classes: classes.sort((a, b) => a.classId - b.classId),
    carbonPrice: parsePrice(terms.carbonPrice ?? "0"),
  };
}

/** The request as terms: what makes two submissions of one spec the same, in the form that earlier records have. */
export function termsOf({ maxPrice, classes, carbonPrice, ...rest }: TaskRequest): TaskTerms {
  return {
    ...rest,
    maxPrice: formatVer(maxPrice),
    classes: Object.fromEntries(classes.map(({ name, surcharge }) => [name, formatVer(surcharge)])),
    ...(carbonPrice > 0 && { carbonPrice: formatPrice(carbonPrice) }),
  };
}

/** Longest time of a unit where a request names none: a day, or until the deadline if that is sooner. Seconds. */
export function defaultUnitTime({
  checkpointInterval,
  within,
}: Pick<TaskRequest, "checkpointInterval" | "within">): number {
  return Math.max(checkpointInterval, Math.min(86_400, within));
}
