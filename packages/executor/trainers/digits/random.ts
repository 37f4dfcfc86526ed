/** State of a {@link Random}: four words of 32 bits, not all zero. */
export type RandomState = readonly [number, number, number, number];

/**
 * xoshiro128** by Blackman and Vigna: small, fast, and its whole state fits a checkpoint. Integer arithmetic only, so it
 * draws the same numbers on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor([a, b, c, d]: RandomState) {
    [this.#a, this.#b, this.#c, this.#d] = [a | 0, b | 0, c | 0, d | 0];
  }

  /** A generator for a seed of 32 bits, its state filled by splitmix32. */
  static seeded(seed: number): Random {
    let state = seed | 0;
    const word = () => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    return new Random([word(), word(), word(), word()]);
  }

  get state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** The next 32 bits, 0 … 2^32 − 1. */
  word(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** 0 … n − 1 in random order (Fisher and Yates). O(n). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, index) => index);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.fraction() * (i + 1));
      const [first, second] = [order[i] ?? 0, order[j] ?? 0];
      order[i] = second;
      order[j] = first;
    }
    return order;
  }
}
