import { CONTRACT_NAMES, type ContractName } from "@verai/client/contract-names";
import { ADDRESSES } from "@verai/client/generated/addresses";

/** An address or other bytes in hexadecimal digits. */
export type Hex = `0x${string}`;

/** Where the contracts of one deployment are. */
export type Addresses = Readonly<Partial<Record<ContractName, Hex>>>;

/**
 * Addresses of a deployment: the public one of a chain, or others that are given.
 *
 * @param custom Addresses by contract name, which go before the public ones. Names as in Ignition's
 * `deployed_addresses.json` (`Drmp#NodeRegistry`) are understood, so that its content can be passed as it is.
 * @throws RangeError if there is no public deployment on the chain and none is given, or an address is none.
 */
export function addressesOn(chainId: number, custom: Readonly<Record<string, string>> = {}): Addresses {
  const known = ADDRESSES[chainId];
  if (known === undefined && Object.keys(custom).length === 0) {
    const chains = Object.keys(ADDRESSES).join(", ");
    throw new RangeError(
      `There is no public deployment on chain ${String(chainId)}${chains === "" ? "" : `, only on ${chains}`}: ` +
        "pass the addresses of your deployment (the content of its deployed_addresses.json).",
    );
  }
  const found: Partial<Record<ContractName, Hex>> = {};
  for (const [key, address] of Object.entries({ ...known, ...custom })) {
    const name = CONTRACT_NAMES.find((each) => each === key.split("#").at(-1));
    if (name === undefined) continue;
    if (!/^0x[0-9a-f]{40}$/i.test(address)) {
      throw new RangeError(`${key} is "${address}", which is no address: it has 0x and 40 hexadecimal digits.`);
    }
    found[name] = address as Hex;
  }
  return found;
}

/**
 * The address of one contract.
 *
 * @throws RangeError if the deployment does not have it.
 */
export function addressOf(addresses: Addresses, name: ContractName): Hex {
  const address = addresses[name];
  if (address === undefined) {
    throw new RangeError(`The deployment has no ${name}, only ${Object.keys(addresses).join(", ") || "nothing"}.`);
  }
  return address;
}
