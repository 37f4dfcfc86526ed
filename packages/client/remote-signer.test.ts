import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";

import { type TypedDataDomain, type TypedDataField, Wallet } from "ethers";

import { ChainError } from "./errors.ts";
import { openSigner } from "./keys.ts";
import { RemoteSigner } from "./remote-signer.ts";

const wallet = new Wallet(`0x${"11".repeat(32)}`);
const other = new Wallet(`0x${"22".repeat(32)}`);
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Signs = (method: string, params: unknown[]) => Promise<unknown>;

/** What Web3Signer does, with the key of `by`. */
function signingWith(by: Wallet, change: (fields: Record<string, unknown>) => void = () => undefined): Signs {
  return async (method, params) => {
    if (method === "eth_signTransaction") {
      const { from: _from, gas, ...rest } = params[0] as Record<string, string>;
      const fields: Record<string, unknown> = { ...rest, gasLimit: gas, type: 2, nonce: Number(rest["nonce"]) };
      change(fields);
      return by.signTransaction(fields);
    }
    const { domain, types, message } = params[1] as {
      domain: TypedDataDomain;
      types: Record<string, TypedDataField[]>;
      message: Record<string, unknown>;
    };
    const { EIP712Domain: _domain, ...own } = types;
    return by.signTypedData(domain, own, message);
  };
}

async function signer(signs: Signs): Promise<RemoteSigner> {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: unknown[] };
      const reply = (body: object) => response.end(JSON.stringify({ jsonrpc: "2.0", id, ...body }));
      signs(method, params).then(
        (result) => reply({ result }),
        (error: unknown) => reply({ error: { code: -32000, message: (error as Error).message } }),
      );
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const opened = await openSigner({ remoteSigner: `http://127.0.0.1:${String(port)}`, address: wallet.address }, 8453);
  assert.ok(opened instanceof RemoteSigner);
  return opened;
}

const transaction = {
  type: 2,
  to: other.address,
  data: "0xabcdef",
  value: 0n,
  nonce: 7,
  gasLimit: 50_000n,
  maxFeePerGas: 10n ** 9n,
  maxPriorityFeePerGas: 1n,
  chainId: 8453n,
};
const domain = { name: "DRMP", version: "1", chainId: 8453, verifyingContract: other.address };
const types = { CheckpointReceipt: [{ name: "leaseId", type: "uint32" }] };

test("a transaction and a message are signed elsewhere, as they would be here", async () => {
  const remote = await signer(signingWith(wallet));
  assert.equal(await remote.signTransaction(transaction), await wallet.signTransaction(transaction));
  const [there, here] = [remote, wallet].map((by) => by.signTypedData(domain, types, { leaseId: 5 }));
  assert.equal(await there, await here);
});

test("a signature of another key is never used", async () => {
  const remote = await signer(signingWith(other));
  const refused = (error: ChainError) => error instanceof ChainError && error.code === "SIGNER_UNUSABLE";
  await assert.rejects(remote.signTransaction(transaction), refused);
  await assert.rejects(remote.signTypedData(domain, types, { leaseId: 5 }), refused);
});

test("a changed transaction is never used", async () => {
  const remote = await signer(
    signingWith(wallet, (fields) => {
      fields["to"] = wallet.address;
    }),
  );
  await assert.rejects(remote.signTransaction(transaction), /another transaction than it was asked to/);
});

test("a refusal is passed on, and silence is worth trying again", async () => {
  const remote = await signer(() => Promise.reject(new Error("policy denies it")));
  await assert.rejects(remote.signTransaction(transaction), /policy denies it/);
  const nobody = new RemoteSigner("http://127.0.0.1:9", wallet.address);
  await assert.rejects(nobody.signTransaction(transaction), (error: ChainError) => error.retryable);
});
