/** Has ethers derive the keys of keystores with Node's own scrypt, on a thread beside: a third less time than in JavaScript. */
import { scrypt as derive } from "node:crypto";
import { promisify } from "node:util";

import { scrypt } from "ethers";

const derived = promisify<Uint8Array, Uint8Array, number, object, Uint8Array>(derive);

/** Bytes of a block are 128 r, of which scrypt holds N and p. Twice that, as Node's bound counts more than the blocks. */
const memoryOf = (N: number, r: number, p: number): number => 2 * 128 * r * (N + p);

scrypt.register(async (passphrase, salt, N, r, p, length) =>
  derived(passphrase, salt, length, { N, r, p, maxmem: memoryOf(N, r, p) }),
);
