import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Pixels of an image: 28 × 28. */
export const PIXELS = 784;
/** Digits 0 … 9. */
export const CLASSES = 10;
/** Images of the rarest digit in the data set: what bounds how many of each can be had. */
export const IMAGES_PER_DIGIT = 863;

/** Labelled images. */
export interface Samples {
  readonly count: number;
  /** count × {@link PIXELS} brightnesses, 0 … 1. */
  readonly pixels: Float32Array;
  /** count digits. */
  readonly labels: Uint8Array;
}

/** Directory of the package that holds the images: 10,000 of the MNIST data set of handwritten digits. */
export function dataDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve("mnist/package.json"));
}

/**
 * Images to train on, and others to test with, equally many of each digit. The test images come first in the data, so
 * that they stay the same however many are trained on. Reads no more of the files than it needs to parse.
 *
 * @param train Images to train on; a multiple of 10.
 * @param test Images to test with; a multiple of 10. Together at most 10 × {@link IMAGES_PER_DIGIT}.
 */
export async function loadDigits(train: number, test: number): Promise<{ train: Samples; test: Samples }> {
  const [trainEach, testEach] = [train / CLASSES, test / CLASSES];
  const sets = { train: emptySamples(train), test: emptySamples(test) };
  for (let digit = 0; digit < CLASSES; digit++) {
    const images = await readImages(digit, trainEach + testEach);
    place(sets.test, images.subarray(0, testEach * PIXELS), digit);
    place(sets.train, images.subarray(testEach * PIXELS), digit);
  }
  return sets;
}

function emptySamples(count: number): Samples {
  return { count, pixels: new Float32Array(count * PIXELS), labels: new Uint8Array(count) };
}

/** Puts the images of one digit at its places: sample i shows the digit i mod 10. */
function place(samples: Samples, images: Float32Array, digit: number): void {
  for (let image = 0; image * PIXELS < images.length; image++) {
    const index = image * CLASSES + digit;
    samples.pixels.set(images.subarray(image * PIXELS, (image + 1) * PIXELS), index * PIXELS);
    samples.labels[index] = digit;
  }
}

/** What stands between two numbers, and within them. */
const [COMMA, POINT, ZERO, NINE] = [0x2c, 0x2e, 0x30, 0x39] as const;

/**
 * The first images of a digit's file, `{ "data": [0,0.12,…] }`. Reads the digits themselves, in a fifth of the time that
 * `JSON.parse` takes: a unit of a few seconds would spend most of them on the rest. The values are the same to the bit,
 * since numbers of so few decimals are quotients of whole numbers, which IEEE 754 rounds correctly.
 */
async function readImages(digit: number, count: number): Promise<Float32Array> {
  const path = join(dataDirectory(), "src", "digits", `${digit}.json`);
  const bytes = await readFile(path);
  const broken = (what: string) => new Error(`${path} ${what}: install the package "mnist" again.`);
  const images = new Float32Array(count * PIXELS);
  let at = bytes.indexOf("[") + 1;
  for (let number = 0; number < images.length; number++) {
    let [whole, scale, digits] = [0, 0, 0];
    for (let byte = bytes[at]; byte !== COMMA; byte = bytes[++at]) {
      if (byte === POINT && scale === 0) scale = 1;
      else if (byte !== undefined && byte >= ZERO && byte <= NINE) {
        whole = whole * 10 + byte - ZERO;
        digits += 1;
        scale *= 10;
      } else if (number === images.length - 1 && digits > 0) break;
      else throw broken(`holds ${Math.floor(number / PIXELS)} images, ${count} are needed`);
    }
    // Beyond 15 digits neither the number nor the power of ten is exact.
    if (digits === 0 || digits > 15) throw broken(`has no number of at most 15 digits at byte ${at}`);
    images[number] = scale === 0 ? whole : whole / scale;
    at += 1;
  }
  return images;
}
