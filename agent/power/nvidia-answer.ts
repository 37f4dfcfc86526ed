/** One GPU as `nvidia-smi` lists it. */
export interface ListedGpu {
  /** Its place in the list, from 0 on; changes when another GPU disappears. */
  readonly index: string;
  /** UUID, which stays; the index where the tool does not tell UUIDs. */
  readonly id: string;
  /** The number that was asked for; undefined where the tool has none. */
  readonly value?: number;
  /** What the tool says instead: "[N/A]". */
  readonly instead?: string;
}

/** What is asked for: by UUID, or one field alone, for tools that refuse to list UUIDs. */
export type AnswerShape = "byUuid" | "byLine";

const VALUE = /^(\d{1,15}(?:[.,]\d{1,9})?)(?: ?(?:W|mJ))?$/;
const UUID = /^(?:GPU|MIG)-[0-9a-f-]{1,80}$/i;
/** Words for "there is no such number": "[N/A]", "[Unknown Error]", "[GPU requires reset]", "N/A", "ERR!". */
const NO_VALUE = /^(?:\[[^\]]{1,60}\]|N\/A|ERR!|Unknown Error)$/i;

/**
 * Takes out of a tool's output what it says of GPUs; warnings and whatever else stands between are passed over, and so is a
 * last line that is cut off. Pure; O(output).
 */
export function parseGpus(stdout: string, shape: AnswerShape): ListedGpu[] {
  // What comes after the last line break is not all of a line.
  const lines = stdout.split("\n").slice(0, -1);
  const found = new Map<string, ListedGpu>();
  let place = 0;
  for (const line of lines.map((each) => each.trim())) {
    const parts =
      shape === "byUuid" ? /^(\d{1,4})\s*,\s*([^,]+?)\s*,\s*(.*)$/.exec(line) : ["", String(place), "", line];
    const [, index = "", uuid = "", text = ""] = parts ?? [];
    if (!parts || (shape === "byUuid" && !UUID.test(uuid))) continue;
    const digits = VALUE.exec(text)?.[1];
    if (digits === undefined && !NO_VALUE.test(text)) continue;
    place += 1;
    const id = shape === "byUuid" ? uuid : index;
    if (found.has(id)) continue;
    const name = { index, id };
    found.set(
      id,
      digits === undefined ? { ...name, instead: text } : { ...name, value: Number(digits.replace(",", ".")) },
    );
  }
  return [...found.values()];
}

/** What an output without any GPU says, for people: its first words. */
export function firstWords(stdout: string, stderr: string): string {
  return `${stdout}\n${stderr}`.trim().replaceAll(/\s+/g, " ").slice(0, 160);
}
