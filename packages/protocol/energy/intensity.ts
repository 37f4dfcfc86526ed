/** Carbon intensity of a region's electricity. */
export interface Intensity {
  /** Grams of CO2 equivalent for a kilowatt-hour, over the whole life of the power plants. */
  readonly gramsPerKwh: number;
  /** What it stands for and since when: "European Union, 2024". */
  readonly of: string;
  readonly source: string;
}

/** Knows the carbon intensity of electricity. Replace it to use live data, or those of a contract with a supplier. */
export interface IntensityProvider {
  /**
   * @param region What comes after the "/" of a class name, such as "eu".
   * @throws RangeError if the region is unknown, naming those that are known.
   */
  intensity(region: string): Intensity | Promise<Intensity>;
}

const EMBER =
  "Ember, Yearly Electricity Data (CC BY 4.0), as published by the Green Web Foundation in CO2.js " +
  "(data/output/average-intensities.json, updated 2025-08-03); looked up 2026-11-24";

/**
 * Yearly averages, those of 2024 where not stated otherwise.
 */
const TABLE: Readonly<Record<string, readonly [gramsPerKwh: number, of: string]>> = {
  eu: [213.02, "European Union, 2024"],
  us: [383.55, "United States, 2024"],
  asean: [573.65, "ASEAN, 2024"],
  au: [553.76, "Australia, 2024"],
  br: [106.06, "Brazil, 2024"],
  ca: [184.99, "Canada, 2024"],
  cn: [557.5, "China, 2024"],
  de: [342.06, "Germany, 2024"],
  es: [146.15, "Spain, 2024"],
  fi: [72.25, "Finland, 2024"],
  fr: [44.18, "France, 2024"],
  gb: [215.79, "United Kingdom, 2024"],
  ie: [279.79, "Ireland, 2024"],
  in: [708.96, "India, 2024"],
  is: [28.33, "Iceland, 2023"],
  jp: [483.73, "Japan, 2024"],
  kr: [415.65, "South Korea, 2024"],
  nl: [252.7, "Netherlands, 2024"],
  no: [30.75, "Norway, 2024"],
  pl: [614.98, "Poland, 2024"],
  se: [35.89, "Sweden, 2024"],
  sg: [498.74, "Singapore, 2024"],
  za: [713.9, "South Africa, 2024"],
};

/** Regions that the table knows. */
export const KNOWN_REGIONS: readonly string[] = Object.keys(TABLE);

/** The table in this file. */
export const intensityTable = {
  intensity(region: string): Intensity {
    const found = TABLE[region];
    if (!found) {
      throw new RangeError(
        `The carbon intensity of the region "${region}" is not known; known are ${KNOWN_REGIONS.join(", ")}. ` +
          `Give it by a provider of your own.`,
      );
    }
    return { gramsPerKwh: found[0], of: found[1], source: EMBER };
  },
} satisfies IntensityProvider;

/** The region of a class: what comes after the "/" of its name. */
export function regionOf(className: string): string {
  return className.split("/")[1] ?? "";
}

/** The kind of hardware of a class: what comes before the "/" of its name. */
export function kindOf(className: string): string {
  return className.split("/")[0] ?? "";
}
