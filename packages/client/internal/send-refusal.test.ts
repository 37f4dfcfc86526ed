import assert from "node:assert/strict";
import { test } from "node:test";

import { innermostWords, MAY_BE_MINED, readSendAnswer, type Remedy, remedyFor, wordsOf } from "./send-refusal.ts";

for (const [words, answer] of [
  ["already known", "known"],
  ["nonce too low: next nonce 7, tx nonce 6", "nonce-used"],
  ["replacement transaction underpriced", "underpriced-replacement"],
  ["transaction underpriced", "fee-too-low"],
  ["transaction underpriced: gas tip cap 0, minimum needed 1000000", "fee-too-low"],
  ["max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2", "fee-too-low"],
  ["tx fee (1.63 ether) exceeds the configured cap (1.00 ether)", "node-fee-cap"],
  ["txpool is full", "busy"],
  ["nonce too high", "busy"],
  ["address already reserved", "busy"],
  ["in-flight transaction limit reached for delegated accounts", "busy"],
  ["gapped-nonce tx from delegated accounts", "busy"],
  ["future transaction tries to replace pending", "busy"],
  ["insufficient funds for gas * price + value + l1Cost", "funds"],
  ["insufficient funds for intrinsic transaction cost", "funds"],
  ["intrinsic gas too low", "gas-too-low"],
  ["exceeds block gas limit", "gas-above-block"],
  ["exceeds the max gas limit", "gas-above-block"],
  ["transaction gas limit too high (cap: 16777216, tx: 20000000)", "gas-above-block"],
  ["invalid sender", "never"],
  ["invalid chain id for signer: have 1 want 8453", "never"],
  ["transaction type not supported", "never"],
  ["Internal error", "unclear"],
  ["no backend is currently healthy to serve traffic", "unclear"],
  ["interop tx filtered", "unclear"],
  ["", "unclear"],
] as const) {
  test(`a node that says "${words}" means ${answer}`, () => {
    assert.equal(readSendAnswer(words), answer);
  });
}

test("nothing that a node refuses without being understood counts as not sent", () => {
  assert.ok(MAY_BE_MINED.includes("unclear") && MAY_BE_MINED.includes("busy"));
});

const offer: Remedy = {
  transaction: { to: "0x", data: "0x", value: 0n, gasLimit: 200_000n, estimate: 50_000n },
  fees: { maxFeePerGas: 2_010_000_000n, maxPriorityFeePerGas: 10_000_000n },
};
const limits = { maxFeePerGas: 5_000_000_000n, gas: 16_777_216n, tipCeiling: 100_000_000n };

test("an underpriced transaction pays more: as much as the node asks for, within the ceiling and the cap", () => {
  const asked = remedyFor("fee-too-low", "gas tip cap 0, minimum needed 50000000", offer, undefined, limits);
  assert.equal(asked?.fees.maxPriorityFeePerGas, 50_000_000n);
  const greedy = remedyFor("fee-too-low", "minimum needed 900000000000", offer, undefined, limits);
  assert.equal(greedy?.fees.maxPriorityFeePerGas, 11_250_000n);
  const words = "max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2000000000";
  assert.equal(remedyFor("fee-too-low", words, offer, undefined, limits)?.fees.maxFeePerGas, 4_010_000_000n);
  const dear = { ...offer, fees: { ...offer.fees, maxFeePerGas: limits.maxFeePerGas } };
  assert.equal(remedyFor("fee-too-low", "", dear, undefined, limits), undefined);
});

test("a node that bounds what one transaction may pay is offered less, once", () => {
  const leaner = remedyFor("node-fee-cap", "", offer, undefined, limits);
  assert.deepEqual(leaner, {
    transaction: { ...offer.transaction, gasLimit: 60_000n },
    fees: { maxFeePerGas: 1_260_000_000n, maxPriorityFeePerGas: 10_000_000n },
  });
  assert.equal(remedyFor("node-fee-cap", "", leaner, undefined, limits), undefined);
});

test("gas is lowered where a block has less, and raised where the transaction takes more, up to the cap", () => {
  assert.equal(remedyFor("gas-above-block", "", offer, undefined, limits)?.transaction.gasLimit, 60_000n);
  assert.equal(remedyFor("gas-too-low", "", offer, undefined, limits)?.transaction.gasLimit, 300_000n);
  const large = { ...offer, transaction: { ...offer.transaction, gasLimit: 16_000_000n } };
  assert.equal(remedyFor("gas-too-low", "", large, undefined, limits), undefined);
  for (const answer of ["funds", "never"] as const)
    assert.equal(remedyFor(answer, "", offer, offer.fees, limits), undefined);
});

test("the node's own words are found inside what wraps them, without its URL", () => {
  const error = {
    code: "UNKNOWN_ERROR",
    shortMessage: "could not coalesce error",
    error: { code: -32000, message: "txpool is full at https://rpc.example/KEY" },
  };
  assert.equal(readSendAnswer(wordsOf(error)), "busy");
  assert.equal(innermostWords(error), "txpool is full at (url)");
});
