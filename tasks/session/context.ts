import { join } from "node:path";

import { formatEther, formatUnits, HDNodeWallet, Mnemonic, Wallet } from "ethers";
import { CommandError } from "../errors.ts";
import type { Environment } from "./environment.ts";

import { devnetAt, devnetFolder } from "@verai/client/devnet";
import { ChainError, RpcUnavailableError } from "@verai/client/errors";
import { DrmpError } from "@verai/errors/drmp-error";
import { exitCodeOf, messageOf } from "@verai/process/program";
import type { KeySource, OpenSigner } from "@verai/client/keys";
import type { TransactionEvent, Proposal, TransactionQueue } from "@verai/client/tx/queue";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession, type Session } from "@verai/client/session";
import { formatVer } from "@verai/protocol/money/ver";
import { transactionLink } from "./explorer.ts";
import { estimateL1Fee } from "./l1-fee.ts";
import type { ReadingArguments, WritingArguments } from "./options.ts";
import { Output } from "./output.ts";

/** What a task works with. */
export interface Context {
  readonly session: Session;
  readonly chainId: number;
  /** Where the chain is asked; may hold an access key, so it is never shown. */
  readonly rpcUrl: string;
  /** What commands keep between runs, of this chain: the devnet's own folder, as its chain is another one after each start. */
  readonly dataDir: string;
  readonly output: Output;
  /** The account that signs, and its transaction queue. Only in tasks that send. */
  readonly account: () => Promise<{ key: KeySource; signer: OpenSigner; queue: TransactionQueue }>;
  /** VER that the next transactions take from the signer, wei; shown before they are sent. */
  spends: bigint;
  /** Hashes of what was sent. */
  readonly sent: string[];
}

/** Thrown in a dry run, where the first transaction would be sent. */
class DryRunError extends Error {}

/** The work of a task that reads. Errors become a sentence and exit code 1 (75 if it is worth trying again). */
export async function read(
  args: ReadingArguments,
  environment: Environment,
  work: (context: Context) => Promise<object>,
): Promise<void> {
  await guarded(new Output(args.json), async (output) => run(args, environment, output, undefined, work));
}

/** The work of a task that sends: as {@link read}, with an account. */
export async function write(
  args: WritingArguments,
  environment: Environment,
  work: (context: Context) => Promise<object>,
): Promise<void> {
  await guarded(new Output(args.json), async (output) => run(args, environment, output, args, work));
}

async function run(
  args: ReadingArguments,
  environment: Environment,
  output: Output,
  writing: WritingArguments | undefined,
  work: (context: Context) => Promise<object>,
): Promise<void> {
  const { rpcUrl, chainId } = await namedNetwork(environment);
  const dataDir = devnetAt(rpcUrl) ? devnetFolder() : join(environment.config.paths.root, ".data");
  const context: { current?: Context } = {};
  const session = await openSession({
    network: { rpcUrl, chainId, deployment: args.deployment === "" ? undefined : args.deployment },
    fees: { maxFeePerGas: writing?.maxFee ?? "0", stuckAfter: 30 },
    journals: join(dataDir, "journals"),
    onEvent: (event) => {
      if (context.current) follow(context.current, event);
    },
    confirm: async (proposal) => {
      if (context.current && writing) await confirm(context.current, writing, proposal);
    },
  }).catch((error: unknown) => {
    if (chainId === LOCAL_CHAIN_ID && error instanceof RpcUnavailableError) {
      process.stderr.write("No network runs on this machine: `scripts/drmp devnet` starts one.\n");
    }
    throw error;
  });
  let account: Promise<KeySource> | undefined;
  const own: Context = {
    session,
    chainId,
    rpcUrl,
    dataDir,
    output,
    spends: 0n,
    sent: [],
    account: async () => {
      if (!writing) throw new CommandError("UNEXPECTED", "this task has no account");
      account ??= signingKey(environment, { rpcUrl, chainId }, writing);
      const key = await account;
      return { key, ...(await session.queue(key)) };
    },
  };
  context.current = own;
  try {
    const result = await work(own);
    output.result({ ...result, ...(writing && { transactions: own.sent }) });
  } catch (error) {
    if (!(error instanceof DryRunError)) throw error;
    output.say("Dry run: nothing was sent.");
    output.result({ dryRun: true });
  } finally {
    session.close();
  }
}

/** Runs a task; an error becomes a sentence, and an exit code that scripts can act on. */
export async function guarded(output: Output, work: (output: Output) => Promise<void>): Promise<void> {
  try {
    await work(output);
  } catch (error) {
    const message = messageOf(error);
    const code = error instanceof DrmpError ? error.code : "FAILED";
    process.stderr.write(`${message}\n`);
    output.result({ error: { code, message } });
    process.exitCode = exitCodeOf(error);
  }
}

/** A network of the configuration. */
export interface NamedNetwork {
  readonly name: string;
  readonly rpcUrl: string;
  readonly chainId: number;
}

/** The network that `--network` names. */
export async function namedNetwork(environment: Environment): Promise<NamedNetwork> {
  const name = environment.globalOptions.network ?? "localhost";
  const config = environment.config.networks[name];
  if (config?.type !== "http") {
    throw new CommandError(
      "NETWORK_UNUSABLE",
      `"${name}" is a chain inside this process, where nothing is deployed. Name another: --network localhost, baseSepolia or base.`,
    );
  }
  return { name, rpcUrl: await config.url.getUrl(), chainId: config.chainId ?? LOCAL_CHAIN_ID };
}

/** The number of the account that is named: a number, or a role, which has a key of its own on the devnet alone. */
function accountNumber(text: string, rpcUrl: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  if (text === "developer" || text === "contributor") return devnetAt(rpcUrl)?.accounts[text] ?? 0;
  throw new CommandError(
    "ACCOUNT_MISSING",
    `There is no account "${text}": name one by its number, from 0, or developer or contributor.`,
  );
}

/** The key that the options name: a keystore, an account of the network, or on a local chain a test account. */
export async function signingKey(
  environment: Environment,
  { rpcUrl, chainId }: Pick<NamedNetwork, "rpcUrl" | "chainId">,
  { account: named, keystore, passphraseFile }: Pick<WritingArguments, "account" | "keystore" | "passphraseFile">,
): Promise<KeySource> {
  if (keystore !== "") return { keystore, ...(passphraseFile !== "" && { passphraseFile }) };
  const account = accountNumber(named, rpcUrl);
  const config = environment.config.networks[environment.globalOptions.network ?? "localhost"];
  const accounts = config?.type === "http" ? config.accounts : "remote";
  if (accounts === "remote") {
    if (chainId === LOCAL_CHAIN_ID) return { testAccount: account };
    throw new CommandError(
      "ACCOUNT_MISSING",
      "The network has no accounts; name a keystore with --keystore and --passphrase-file.",
    );
  }
  if ("mnemonic" in accounts) {
    const phrase = Mnemonic.fromPhrase(await accounts.mnemonic.get());
    const { privateKey } = HDNodeWallet.fromMnemonic(phrase, `${accounts.path}/${String(account)}`);
    return { wallet: new Wallet(privateKey) };
  }
  const found = accounts[account];
  if (!found) {
    throw new CommandError(
      "ACCOUNT_MISSING",
      `The network has ${String(accounts.length)} accounts, so there is no account ${String(account)}.`,
    );
  }
  return { wallet: new Wallet(await found.getHexString()) };
}

/** Shows what a transaction does and costs, and asks. */
async function confirm(
  { output, session, chainId, spends }: Context,
  { yes, dryRun }: WritingArguments,
  proposal: Proposal,
): Promise<void> {
  const { label, to, data, value, gasLimit, fees } = proposal;
  const l1 = await estimateL1Fee(session.provider, { to, data, value, gasLimit, ...fees, chainId, nonce: 0 });
  // What the faucet gives first is not what the task spends.
  const isFaucet = to === (await session.contracts.faucet?.getAddress());
  const takes = isFaucet ? 0n : spends;
  const most = gasLimit * fees.maxFeePerGas + value + (l1 ?? 0n);
  output.facts([
    ["transaction", label],
    ["to", to],
    ["gas", `at most ${String(gasLimit)} at ${formatUnits(fees.maxFeePerGas, "gwei")} gwei`],
    ["L1 data fee", l1 === undefined ? undefined : `about ${formatEther(l1)} ETH`],
    ["costs", `at most ${formatEther(most)} ETH${takes > 0n ? `, and ${formatVer(takes)} VER` : ""}`],
    [
      "after it",
      isFaucet && spends > 0n
        ? `${formatVer(spends)} VER are taken by the next transaction, whose gas is known once they have arrived`
        : undefined,
    ],
  ]);
  if (dryRun) throw new DryRunError();
  if (yes || (await output.confirm("Send it?"))) return;
  throw new ChainError("DECLINED", false, "Not sent.");
}

function follow({ output, sent, chainId }: Context, event: TransactionEvent): void {
  if (event.kind === "sent") output.say(`sent         ${event.hash}`);
  if (event.kind === "bumped") output.say(`replaced by  ${event.hash}, which pays more`);
  if (event.kind !== "confirmed") return;
  sent.push(event.hash);
  const { gasUsed, gasPrice, l1Fee } = event.cost;
  output.say(`confirmed    ${String(gasUsed)} gas, ${formatEther(gasUsed * gasPrice + l1Fee)} ETH`);
  const link = transactionLink(chainId, event.hash);
  if (link !== undefined) output.say(link);
}
