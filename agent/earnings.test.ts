import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import type { KeySource } from "@verai/client/keys";
import type { Session } from "@verai/client/session";
import { claimEarnings } from "./earnings.ts";

const OWNER: KeySource = { testAccount: 1 };

/** A vault that has these amounts at one look after the other, and a queue that takes what is prepared. */
function opened(...amounts: bigint[]) {
  const submitted: string[] = [];
  const vault = {
    claimable: async () => Promise.resolve(amounts.length > 1 ? (amounts.shift() ?? 0n) : (amounts[0] ?? 0n)),
    claim: { populateTransaction: async (to: string) => Promise.resolve({ to }) },
  };
  const queue = {
    submit: async ({ label, prepare }: { label: string; prepare: () => Promise<unknown> }) => {
      submitted.push(label);
      return (await prepare()) === null ? null : { status: 1 };
    },
  };
  const session = {
    contracts: { vault },
    queue: async () => Promise.resolve({ signer: { address: "0x01" }, queue }),
  } as unknown as Session;
  return { session, submitted };
}

test("what is worth it is claimed", async () => {
  const { session, submitted } = opened(5n);
  equal(await claimEarnings(session, OWNER, 5n), 5n);
  deepEqual(submitted, ["claim"]);
});

test("where nothing is, or too little, the queue is left alone", async () => {
  for (const amount of [0n, 4n]) {
    const { session, submitted } = opened(amount);
    equal(await claimEarnings(session, OWNER, 5n), 0n);
    deepEqual(submitted, []);
  }
  const { session, submitted } = opened(0n);
  equal(await claimEarnings(session, OWNER, 0n), 0n);
  deepEqual(submitted, []);
});

test("what was claimed meanwhile is not claimed again", async () => {
  const { session, submitted } = opened(5n, 0n);
  equal(await claimEarnings(session, OWNER, 1n), 0n);
  deepEqual(submitted, ["claim"]);
});
