import { readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { HDNodeWallet, Mnemonic, Wallet } from "ethers";

import "./native-scrypt.ts";
import { ChainError } from "./errors.ts";
import { RemoteSigner } from "./remote-signer.ts";
import { LOCAL_CHAIN_ID } from "./chains.ts";

/** Where a signer's key comes from. A key is never part of a configuration, nor of a command line. */
export type KeySource =
  /** An encrypted keystore (Web3 secret storage), and the file that holds its passphrase (or an environment variable that names that file). */
  | { readonly keystore: string; readonly passphraseFile?: string; readonly passphraseFileEnv?: string }
  /** A file that holds the private key in hexadecimal digits: outside the repository, readable by its owner only. */
  | { readonly keyFile: string }
  /** A signer elsewhere that speaks JSON-RPC (Web3Signer, Clef), and the address whose key it is to use. */
  | { readonly remoteSigner: string; readonly address: string }
  /** A wallet that is open already, such as one of Hardhat's keystore. Never from a configuration file. */
  | { readonly wallet: Wallet }
  /** One of the well-known accounts of a local chain, 0 … 99. */
  | { readonly testAccount: number };

/** A signer that is ready: with a key in this process, or one elsewhere. */
export type OpenSigner = Wallet | RemoteSigner;

/** The mnemonic of Hardhat's test accounts, which everybody knows. */
const TEST_MNEMONIC = "test test test test test test test test test test test junk";

/** This repository, where no key may lie. */
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Opens a signer.
 *
 * @param chainId Chain that it will sign for; test accounts are refused on any but the local one.
 * @throws {@link ChainError} `KEY_MISSING`, `KEY_EXPOSED`, `KEY_INVALID` or `TEST_KEY_REFUSED`, with the remedy. No
 * message holds any part of a key or passphrase.
 */
export async function openSigner(source: KeySource, chainId: number): Promise<OpenSigner> {
  if ("remoteSigner" in source) return new RemoteSigner(source.remoteSigner, source.address);
  if ("wallet" in source) return source.wallet;
  if ("testAccount" in source) return testSigner(source.testAccount, chainId);
  if ("keyFile" in source) {
    await refuseRepository(source.keyFile, "key file");
    const key = await readSecret(source.keyFile, "key file");
    // Not passed on as a cause: ethers' error quotes what it was given.
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(key)) throw invalid(source.keyFile, "it does not hold 64 hexadecimal digits");
    try {
      return new Wallet(key.startsWith("0x") ? key : `0x${key}`);
    } catch {
      throw invalid(source.keyFile, "its number is no key of the curve");
    }
  }
  const passphrase = await readSecret(passphraseFile(source), "passphrase file");
  const json = await readFile(source.keystore, "utf8").catch((cause: unknown) => {
    throw missing(source.keystore, "keystore", cause);
  });
  try {
    return withoutMnemonic(await Wallet.fromEncryptedJson(json, passphrase));
  } catch (error) {
    const wrong = error instanceof Error && /incorrect password/i.test(error.message);
    throw invalid(source.keystore, wrong ? "the passphrase is wrong" : "it is no encrypted keystore");
  }
}

/** A well-known account of a local chain. */
function testSigner(index: number, chainId: number): Wallet {
  if (chainId !== LOCAL_CHAIN_ID) {
    throw new ChainError(
      "TEST_KEY_REFUSED",
      false,
      `Test accounts are for the local chain ${String(LOCAL_CHAIN_ID)}: everybody knows their keys, and chain ` +
        `${String(chainId)} is configured. Name a keystore or a key file.`,
    );
  }
  if (!Number.isInteger(index) || index < 0 || index > 99) {
    throw new ChainError("KEY_INVALID", false, `There is no test account ${String(index)}; use 0 to 99.`);
  }
  return withoutMnemonic(
    HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(TEST_MNEMONIC), `m/44'/60'/0'/0/${String(index)}`),
  );
}

/** The key alone: a mnemonic would show wherever the signer is printed. */
function withoutMnemonic({ privateKey }: Wallet | HDNodeWallet): Wallet {
  return new Wallet(privateKey);
}

function passphraseFile(source: { readonly passphraseFile?: string; readonly passphraseFileEnv?: string }): string {
  const variable = source.passphraseFileEnv;
  const file = source.passphraseFile ?? (variable === undefined ? undefined : process.env[variable]);
  if (file !== undefined && file !== "") return file;
  const remedy =
    variable === undefined
      ? "name it as passphraseFile, or name the environment variable that names it as passphraseFileEnv"
      : `set the environment variable ${variable} to the name of that file`;
  throw new ChainError(
    "KEY_MISSING",
    false,
    `The keystore's passphrase is needed, which is kept in a file: ${remedy}.`,
  );
}

/**
 * Reads a file that only its owner may read.
 *
 * @throws {@link ChainError} `KEY_MISSING` or `KEY_EXPOSED`.
 */
export async function readSecret(file: string, what: string): Promise<string> {
  let mode: number;
  let text: string;
  try {
    ({ mode } = await stat(file));
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw missing(file, what, cause);
  }
  // Windows knows no such modes.
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new ChainError(
      "KEY_EXPOSED",
      false,
      `The ${what} ${file} can be read by others (mode ${(mode & 0o777).toString(8)}); run \`chmod 600 ${file}\`.`,
    );
  }
  if (text.trim() === "") throw new ChainError("KEY_INVALID", false, `The ${what} ${file} is empty.`);
  return text.trim();
}

/**
 * Refuses a file in this repository, whether it is there already or not.
 *
 * @param what What it holds, for the message.
 * @throws {@link ChainError} `KEY_EXPOSED`.
 */
export async function refuseRepository(file: string, what: string): Promise<void> {
  const folder = dirname(resolve(file));
  const real = await realpath(file).catch(async () => join(await realpath(folder).catch(() => folder), basename(file)));
  const repository = await realpath(REPOSITORY);
  const root = repository.endsWith(sep) ? repository : repository + sep;
  if (!real.startsWith(root)) return;
  throw new ChainError(
    "KEY_EXPOSED",
    false,
    `The ${what} ${file} lies inside the repository, from where it may be committed; move it elsewhere.`,
  );
}

function missing(file: string, what: string, cause: unknown): ChainError {
  return new ChainError("KEY_MISSING", false, `The ${what} ${file} cannot be read; create it, or name the right one.`, {
    cause,
  });
}

function invalid(file: string, why: string): ChainError {
  return new ChainError("KEY_INVALID", false, `The key in ${file} cannot be used: ${why}.`);
}
