import { kindOf } from "./intensity.ts";

/** Carbon of making a device and its share of the machine around it. */
export interface Embodied {
  /** Kilograms of CO2 equivalent. */
  readonly kilograms: number;
  readonly source: string;
}

/** Hours for which a device is expected to be in use: what its making is spread over. */
export const LIFESPAN = {
  hours: 4 * 365 * 24,
  source: "four years, as Dell's life cycle assessment of the R740, Teads and Cloud Carbon Footprint take it",
} as const;

const TEADS =
  "Teads, AWS EC2 carbon dataset, as published by Cloud Carbon Footprint (coefficients-aws-embodied.csv); looked up 2026-11-30";

/**
 * By kind of class. Of servers in data centres: a contributor's own machine was made for other uses as well, and then takes less.
 */
const TABLE: Readonly<Record<string, Embodied>> = {
  "gpu-141g": { kilograms: 4676.79 / 8, source: `an eighth of a p4d (A100), as none of its kind is known. ${TEADS}` },
  "gpu-80g": { kilograms: 4676.79 / 8, source: `an eighth of a p4d (A100). ${TEADS}` },
  "gpu-48g": { kilograms: 3010.79 / 8, source: `an eighth of a g4dn (T4), as none of its kind is known. ${TEADS}` },
  "gpu-24g": { kilograms: 3010.79 / 8, source: `an eighth of a g4dn (T4), as none of its kind is known. ${TEADS}` },
  "gpu-16g": { kilograms: 3010.79 / 8, source: `an eighth of a g4dn (T4). ${TEADS}` },
  cpu: { kilograms: 1610.79 / 96, source: `one vCPU of the 96 of an m5. ${TEADS}` },
};

/** Kind of a class's devices and how many a unit has: `gpu-80g-x8/eu` has eight of `gpu-80g`. */
export function devicesOf(className: string): { readonly kind: string; readonly count: number } {
  const [, kind = kindOf(className), count = "1"] = /^(.+)-x(\d{1,3})$/.exec(kindOf(className)) ?? [];
  return { kind, count: Math.max(1, Number(count)) };
}

/**
 * Embodied carbon of a device of a class.
 *
 * @param given Kilograms by kind that go before the table's.
 * @returns Undefined for a kind that nothing is known about, which is not zero.
 */
export function embodiedOf(className: string, given: Readonly<Record<string, number>> = {}): Embodied | undefined {
  const { kind } = devicesOf(className);
  const own = given[kind];
  return own === undefined ? TABLE[kind] : { kilograms: own, source: "as given" };
}

/** Grams of a device's embodied carbon that fall to so many hours of it: SCI's TE × TS, with the whole device reserved. */
export function embodiedGrams({ kilograms }: Embodied, deviceHours: number): number {
  return (kilograms * 1000 * deviceHours) / LIFESPAN.hours;
}

/**
 * Reads kilograms by kind, such as `cpu=16.8,gpu-80g=585`; "" for none.
 *
 * @throws RangeError that names what is wrong
 */
export function parseEmbodied(text: string): Record<string, number> {
  const given: Record<string, number> = {};
  for (const part of text.split(",").filter((each) => each !== "")) {
    const [, kind, digits] = /^([a-z0-9-]+)=(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (kind === undefined) {
      throw new RangeError(`"${part}" is no embodied carbon: write <kind>=<kilograms of a device>, such as cpu=16.8.`);
    }
    given[kind] = Number(digits);
  }
  return given;
}
