import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { parseEventLogs } from "viem";

import { taskRegistryAbi } from "@verai/client/typed-abi/TaskRegistry";
import { useChainClient } from "../chain/client.ts";
import { addressOf, useConfig } from "../config.ts";
import { Failure } from "../ui/failure.tsx";
import { IdLink } from "../ui/links.tsx";
import { Card } from "../ui/page.tsx";
import { usePasskey } from "./account.ts";
import { type ActionError, explained } from "./explain.ts";
import { createPasskey, hostHasPasskeys, passkeysHere, sendBatch } from "./passkey.ts";
import { useUnknown } from "./sent.ts";
import { FIRST, submissionPlan } from "./submission.ts";

const LOOK_MS = 500;
const LEASED_MS = 60_000;
const LABEL = "Lease a task now";

/** From nothing to a leased task: one button; the device asks twice, to make the passkey and to sign with it. */
export function OneTap() {
  const config = useConfig();
  const client = useChainClient();
  const queries = useQueryClient();
  const [passkey, setPasskey] = usePasskey();
  const [step, setStep] = useState("");
  const [error, setError] = useState<ActionError>();
  const [done, setDone] = useState<{ taskId: number; leased: boolean; seconds: number }>();
  const unknown = useUnknown(config.chainId, passkey?.account).some(({ label }) => label === LABEL);
  if (!passkeysHere(config) || !hostHasPasskeys() || config.deployment["TestnetFaucet"] === undefined) return null;

  const run = async () => {
    const started = performance.now();
    const seconds = () => Math.round((performance.now() - started) / 1000);
    setError(undefined);
    setDone(undefined);
    try {
      setStep("Making a passkey on this device.");
      const own = passkey ?? (await createPasskey(config, client));
      setPasskey(own);
      setStep("Reading what the task takes.");
      const { calls } = await submissionPlan(config, client, own.account, FIRST);
      setStep("Confirm with the passkey: test VER, approval and submission in one operation.");
      const { logs } = await sendBatch(config, client, own, calls, LABEL);
      const [submitted] = parseEventLogs({ abi: taskRegistryAbi, eventName: "TaskSubmitted", logs: [...logs] });
      if (!submitted) throw new Error("The operation submitted no task.");
      const { taskId } = submitted.args;
      setDone({ taskId, leased: false, seconds: seconds() });
      setStep("Submitted; waiting for the next round to lease it.");
      for (const end = performance.now() + LEASED_MS; performance.now() < end;) {
        const task = await client.readContract({
          address: addressOf(config, "TaskRegistry"),
          abi: taskRegistryAbi,
          functionName: "task",
          args: [taskId],
        });
        if (task.leasedUnits > 0) {
          setDone({ taskId, leased: true, seconds: seconds() });
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      setStep("");
      await queries.invalidateQueries();
    } catch (reason) {
      setStep("");
      setError(await explained(reason));
    }
  };
  return (
    <Card title="Try it with nothing" source="No wallet, no ETH, no seed phrase: a passkey of this device.">
      <p>
        Makes a passkey and its account, takes test VER, and submits a small training task. A sponsor pays the gas. Your
        device asks twice: to make the passkey, and to sign.
      </p>
      <button type="button" className="primary" disabled={step !== "" || unknown} onClick={() => void run()}>
        {LABEL}
      </button>
      <div role="status" data-testid="one-tap">
        {step !== "" && <p>{step}</p>}
        {done && (
          <p>
            <IdLink kind="task" id={done.taskId} /> is {done.leased ? "leased" : "submitted"} after {done.seconds} s.
          </p>
        )}
      </div>
      {error && <Failure title="Not done" error={error} onRetry={() => void run()} />}
    </Card>
  );
}
