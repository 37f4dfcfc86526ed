// Written by `npm run abi` from the contracts; do not edit.

/** Addresses of public deployments, by chain id and contract. */
export const ADDRESSES: Readonly<Record<number, Readonly<Record<string, string>>>> = {};
