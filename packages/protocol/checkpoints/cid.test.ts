import assert from "node:assert/strict";
import { test } from "node:test";

import { sha256 } from "ethers";
import { CID } from "multiformats/cid";

import { checkpointCid, CidError, CODEC_DAG_PB, CODEC_RAW, fromChainCid, toChainCid } from "./cid.ts";

const hello = new TextEncoder().encode("hello world");

test("the CID of a checkpoint is CIDv1, raw, sha2-256 of its bytes", () => {
  // What `ipfs add --cid-version=1 --raw-leaves` answers, and the known SHA-256 of these bytes.
  assert.equal(checkpointCid(hello).toString(), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
  const digest = "0xb94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
  assert.deepEqual(toChainCid(checkpointCid(hello)), { digest, codec: CODEC_RAW });
  assert.notDeepEqual(checkpointCid(hello), checkpointCid(hello.subarray(1)));
});

test("a CID on chain makes the round trip", () => {
  for (const codec of [CODEC_RAW, CODEC_DAG_PB]) {
    const kept = { digest: sha256(hello), codec };
    assert.deepEqual(toChainCid(fromChainCid(kept)), kept);
    assert.deepEqual(toChainCid(fromChainCid(kept).toString()), kept);
  }
});

test("what the contracts cannot keep is refused with the remedy", () => {
  const refused = (message: RegExp) => (error: unknown) => error instanceof CidError && message.test(error.message);
  assert.throws(() => toChainCid("not a CID"), refused(/"not a CID" is no CID/));
  assert.throws(() => toChainCid("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"), refused(/convert it to version 1/));
  const json = CID.createV1(0x0200, checkpointCid(hello).multihash);
  assert.throws(() => toChainCid(json), refused(/Codec 0x200 is not supported/));
  const identity = CID.parse("bafkqabtimvwgy3yk");
  assert.throws(() => toChainCid(identity), refused(/not hashed with sha2-256/));
  assert.throws(() => fromChainCid({ digest: "0x1234", codec: CODEC_RAW }), refused(/32 bytes/));
  assert.throws(() => fromChainCid({ digest: sha256(hello), codec: 0x71 }), refused(/0x71/));
});
