import type { DevnetService } from "@verai/client/devnet";
import { Output } from "../output.ts";
import { DEVNET_ACCOUNTS, DEVNET_NODES, PURSE_VER } from "./accounts.ts";
import type { Playground } from "./playground.ts";

/** What the devnet tells: lines for people, or with `--json` an object a line. */
export interface DevnetOutput {
  readonly say: (text: string) => void;
  readonly ready: (up: Playground) => void;
  readonly ended: (service: DevnetService, how: number | NodeJS.Signals) => void;
  readonly failed: (code: string, message: string) => void;
  readonly stopped: () => void;
}

/** Progress goes to standard error, what is there in the end to standard output. */
export function devnetOutput(json: boolean): DevnetOutput {
  if (json) return jsonOutput((text) => process.stdout.write(text));
  const output = new Output();
  const say = (text: string) => {
    output.say(text);
  };
  return {
    say,
    ready: (up) => process.stdout.write(`\n${announcement(up)}\n`),
    ended: ({ name, log }, how) => {
      say(`${name} ended (${String(how)}); see ${log}; \`scripts/drmp devnet start ${name}\` starts it again`);
    },
    failed: (_code, message) => process.stderr.write(`\n${message}\n`),
    stopped: () => {
      say("the devnet has ended");
    },
  };
}

function jsonOutput(write: (text: string) => void): DevnetOutput {
  const event = (name: string, fields: object = {}) => {
    write(`${JSON.stringify({ event: name, ...fields })}\n`);
  };
  return {
    say: (text) => {
      event("progress", { text });
    },
    ready: ({ state, engine, steps, keys, logs }) => {
      const { rpcUrl, chainId, deployment, control, services } = state;
      event("ready", { rpcUrl, chainId, deployment, control, services, keys, engine, next: steps, logs });
    },
    ended: (service, how) => {
      event("ended", { service, how });
    },
    failed: (code, message) => {
      event("failed", { error: { code, message } });
    },
    stopped: () => {
      event("stopped");
    },
  };
}

/** What people read once the devnet is up. Pure. */
function announcement({ state, engine, steps, keys, logs }: Playground): string {
  const { developer, contributor, operator } = DEVNET_ACCOUNTS;
  const contained = DEVNET_NODES.find(({ containers }) => containers)?.name ?? "";
  const width = Math.max(...state.services.map(({ name }) => name.length));
  const services = state.services.map(
    ({ name, what, address }) => `  ${name.padEnd(width)}  ${what}${address === "" ? "" : `  ${address}`}`,
  );
  return [
    "The devnet is up. It stays up until Ctrl-C; commands find it without options.",
    "",
    ...services,
    ...(engine.missing === "" ? [] : ["", `  ${contained}: ${engine.missing.replaceAll("\n", "\n  ")}`]),
    "",
    `Keys, for this chain alone (refused on every other); developer and contributor have ${PURSE_VER} VER each:`,
    `  developer    ${keys.developer}  signs task: commands       --account ${String(developer)}`,
    `  contributor  ${keys.contributor}  signs node: commands       --account ${String(contributor)}`,
    `  operator     ${keys.operator}  the agent of your own node  test account ${String(operator)}`,
    "",
    `Logs: ${logs}`,
    "",
    "Try next, in another terminal:",
    ...steps.flatMap(({ what, command }) => ["", `  # ${what}`, `  ${command}`]),
  ].join("\n");
}
