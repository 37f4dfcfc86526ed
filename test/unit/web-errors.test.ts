/** What the application in the browser makes of errors: each goes through the libraries that the page uses, and its own way of decoding. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import {
  type Abi,
  type AbiParameter,
  createPublicClient,
  createWalletClient,
  custom,
  encodeErrorResult,
  getAddress,
  type Hex,
  http,
} from "viem";

import { ERROR_MESSAGES } from "@verai/client/describe-error";
import { ABIS, ERRORS_ABI } from "@verai/client/generated/abis";
import { closeServer, listen } from "@verai/system/http/listen";
import { explained } from "@verai/web/src/wallet/explain";

interface ErrorItem {
  readonly type: "error";
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
}

const ACCOUNT = getAddress(`0x${"11".repeat(20)}`);
const isError = (item: object): item is ErrorItem => "type" in item && item.type === "error";
const signatureOf = ({ name, inputs }: ErrorItem) => `${name}(${inputs.map(({ type }) => type).join(",")})`;

/** A value of a type; small enough to be the number of a word of every enumeration. */
function sample({ type }: AbiParameter, place: number): unknown {
  if (type === "address") return getAddress(`0x${String((place + 1) % 10).repeat(40)}`);
  if (type === "string") return `text${String(place)}`;
  if (type === "bool") return true;
  if (type === "bytes") return "0x1234";
  if (type.startsWith("bytes")) return `0x${String((place + 1) % 10).repeat(2 * Number(type.slice(5)))}`;
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1] ?? 256);
  return bits <= 48 ? place + 1 : BigInt(place + 1);
}

function dataOf(error: ErrorItem): Hex {
  return encodeErrorResult({ abi: [error] as Abi, errorName: error.name, args: error.inputs.map(sample) });
}

/** What the page is thrown where an endpoint answers that a call reverted with some bytes: by its own client, and by a wallet's. */
async function thrownWith(data: Hex): Promise<unknown[]> {
  // As nodes answer: geth and its kin, and Hardhat, whose data is in an object.
  const answers = [
    { code: 3, message: "execution reverted", data },
    { code: -32_603, message: "reverted with a custom error", data: { message: "reverted", data } },
  ];
  const thrown: unknown[] = [];
  for (const answer of answers) {
    const request = () => Promise.reject(Object.assign(new Error(answer.message), answer));
    const transport = custom({ request }, { retryCount: 0 });
    const client = createPublicClient({ transport });
    const wallet = createWalletClient({ transport, account: ACCOUNT });
    for (const ask of [
      () => client.call({ account: ACCOUNT, to: ACCOUNT, data: "0x12345678" }),
      () => client.estimateGas({ account: ACCOUNT, to: ACCOUNT, data: "0x12345678" }),
      () => wallet.sendTransaction({ chain: null, to: ACCOUNT, data: "0x12345678", gas: 1n }),
    ]) {
      await ask().then(
        () => assert.fail("nothing was thrown"),
        (error: unknown) => thrown.push(error),
      );
    }
  }
  return thrown;
}

test("each error of each contract becomes its sentence in the browser, whichever call meets it", async () => {
  const errors = ERRORS_ABI.filter(isError);
  assert.ok(errors.length > 150, String(errors.length));
  const said = new Map<string, string>();
  for (const error of errors) {
    const signature = signatureOf(error);
    for (const thrown of await thrownWith(dataOf(error))) {
      const { name, message } = await explained(thrown);
      assert.equal(name, error.name, signature);
      assert.match(message, /^[A-Z0-9"].*\.$/s, signature);
      assert.doesNotMatch(message, /undefined|NaN|\[object|this page does not know|The contract refused: /, signature);
      said.set(signature, message);
    }
  }
  assert.deepEqual([...said.keys()].sort(), Object.keys(ERROR_MESSAGES).sort());
});

test("no contract that the page calls has an error which the page does not know", () => {
  const known = new Set(ERRORS_ABI.filter(isError).map(signatureOf));
  const unknown = Object.entries(ABIS)
    // Chainlink's own, called by contracts alone.
    .filter(([name]) => name !== "VRFCoordinatorV2_5Mock")
    .flatMap(([name, abi]) => abi.filter(isError).map((error) => [name, signatureOf(error)] as const))
    .filter(([, signature]) => !known.has(signature));
  assert.deepEqual(unknown, []);
});

test("what is no error of a contract is told as what it is", async () => {
  assert.equal((await explained(Object.assign(new Error("no"), { code: 4001 }))).name, "Rejected");
  const [unknown] = await thrownWith("0xdeadbeef");
  assert.match((await explained(unknown)).message, /an error that this page does not know \(0xdeadbeef\)/);
  const lost = createWalletClient({
    transport: custom({ request: () => Promise.reject(new Error("Failed to fetch")) }, { retryCount: 0 }),
    account: ACCOUNT,
  });
  const own = await lost
    .sendTransaction({ chain: null, to: ACCOUNT, gas: 1n })
    .catch((error: unknown) => explained(error));
  assert.ok(own instanceof Error);
  assert.match(own.message, /error of its own: Failed to fetch\. Look there whether something was sent/);
  const poor = new Error("insufficient funds for gas * price + value");
  assert.equal((await explained(poor)).name, "NoEther");
});

test("an endpoint that fails, is silent or answers with something else is told as that", async () => {
  let answer: (() => { status: number; body: string }) | undefined;
  const server = createServer((_, response) => {
    const now = answer?.();
    if (now) response.writeHead(now.status, { "content-type": "application/json" }).end(now.body);
  });
  const url = await listen(server, { host: "127.0.0.1", port: 0 });
  try {
    const client = createPublicClient({ transport: http(url, { timeout: 200, retryCount: 0 }) });
    for (const now of [() => ({ status: 503, body: "" }), () => ({ status: 200, body: "<html>" }), undefined]) {
      answer = now;
      const told = await client.getBlockNumber().then(
        () => assert.fail("it answered"),
        (error: unknown) => explained(error),
      );
      assert.equal(told.name, "EndpointFailed", told.message);
      assert.match(told.message, /endpoint gives no answer.*Try again/);
    }
  } finally {
    server.closeAllConnections();
    await closeServer(server);
  }
});
