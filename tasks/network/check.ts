import { join } from "node:path";

import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { LOCAL_CHAIN_ID } from "../../chain/provider.ts";
import { read } from "../session/context.ts";
import { addressLink } from "../session/explorer.ts";
import type { ReadingArguments } from "../session/options.ts";
import { compareDeployment } from "./compare.ts";
import { readParameters } from "./parameters-file.ts";
import { readDeploymentView } from "./view.ts";

/** The parameters file of a chain. */
const FILES: Readonly<Record<number, string>> = {
  [LOCAL_CHAIN_ID]: "localhost",
  84532: "baseSepolia",
  8453: "base",
};

const MARKS = { ok: "ok   ", note: "note ", wrong: "WRONG" } as const;

/** Compares a deployment with its parameters file. Exit code 1 if something is wrong. */
export default async function check(
  args: ReadingArguments & { readonly parameters: string },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await read(args, hre, async ({ session, screen, chainId }) => {
    const pin = await session.reader.pin();
    const name = FILES[chainId] ?? "localhost";
    const file = args.parameters === "" ? join("ignition", "parameters", `${name}.json`) : args.parameters;
    const asked = await readParameters(file);
    const findings = compareDeployment(await readDeploymentView(hre, session, pin, asked), asked);
    screen.say(`chain ${String(chainId)}, block ${String(pin.number)}, compared with ${file}`);
    const vault = await session.contracts.vault.getAddress();
    screen.say(`vault ${addressLink(chainId, vault) ?? vault}`);
    screen.say();
    const width = Math.max(...findings.map(({ what }) => what.length));
    for (const { level, what, says } of findings) screen.say(`${MARKS[level]}  ${what.padEnd(width)}  ${says}`);
    const wrong = findings.filter(({ level }) => level === "wrong").length;
    screen.say();
    screen.say(
      wrong === 0
        ? "Nothing is wrong."
        : `${String(wrong)} of ${String(findings.length)} checks found something wrong.`,
    );
    if (wrong > 0) process.exitCode = 1;
    return { chainId, block: pin.number, parametersFile: file, wrong, findings };
  });
}
