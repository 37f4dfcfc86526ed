import { getAddress, getBytes, hexlify } from "ethers";

/** Bytes of a contract's code. */
interface Place {
  readonly start: number;
  readonly length: number;
}

/** What a compiler says of a contract's code once it is deployed. */
export interface CompiledCode {
  readonly deployedBytecode: string;
  readonly immutableReferences?: Readonly<Record<string, readonly Place[]>>;
  /** Places of libraries' addresses, by file and name. */
  readonly deployedLinkReferences?: Readonly<Record<string, Readonly<Record<string, readonly Place[]>>>>;
}

/** A library that deployed code calls. */
export interface LinkedLibrary {
  /** `file:name`, as artifacts are found by. */
  readonly name: string;
  readonly address: string;
}

/** Opcode that pushes 20 bytes: libraries begin with it and their own address, which is zero where they are compiled. */
const PUSH20 = 0x73;
const ADDRESS_BYTES = 20;

/** Places of a contract's code that differ from deployment to deployment: the values of immutables, and libraries' addresses. Pure. */
export function variablePlaces({ immutableReferences = {}, deployedLinkReferences = {} }: CompiledCode): Place[] {
  const linked = Object.values(deployedLinkReferences).flatMap((libraries) => Object.values(libraries).flat());
  return [...Object.values(immutableReferences).flat(), ...linked].toSorted((a, b) => a.start - b.start);
}

/** What a compiler makes, with zeros in its {@link variablePlaces}. Pure. */
export function maskedCode(compiled: CompiledCode): Uint8Array {
  const code = getBytes(compiled.deployedBytecode.replace(/__\$[0-9a-f]{34}\$__/g, "0".repeat(2 * ADDRESS_BYTES)));
  for (const { start, length } of variablePlaces(compiled)) code.fill(0, start, start + length);
  return code;
}

/**
 * Whether deployed code is what a compiler makes, but for {@link variablePlaces} and a library's own address. Pure. O(bytes).
 *
 * @param code As the chain has it.
 */
export function isCompiledFrom(code: string, compiled: CompiledCode): boolean {
  const [there, here] = [getBytes(code), maskedCode(compiled)];
  if (there.length !== here.length) return false;
  for (const { start, length } of variablePlaces(compiled)) there.fill(0, start, start + length);
  const isLibrary = here[0] === PUSH20 && here.subarray(1, 1 + ADDRESS_BYTES).every((byte) => byte === 0);
  if (isLibrary) there.fill(0, 1, 1 + ADDRESS_BYTES);
  return hexlify(there) === hexlify(here);
}

/**
 * Libraries that deployed code calls, with the addresses that it has for them: code that is hidden behind another address than the one
 * looked at is found with them. Pure.
 */
export function librariesOf(code: string, { deployedLinkReferences = {} }: CompiledCode): LinkedLibrary[] {
  const bytes = getBytes(code);
  return Object.entries(deployedLinkReferences).flatMap(([file, libraries]) =>
    Object.entries(libraries).flatMap(([name, places]) => {
      const addresses = places
        .filter(({ start, length }) => start + length <= bytes.length)
        .map(({ start, length }) => getAddress(hexlify(bytes.subarray(start, start + length))));
      return [...new Set(addresses)].map((address) => ({ name: `${file}:${name}`, address }));
    }),
  );
}
