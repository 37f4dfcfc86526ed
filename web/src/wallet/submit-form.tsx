import { useState } from "react";
import { parseEventLogs } from "viem";

import type { Quote } from "@verai/client/quote";
import { taskRegistryAbi } from "@verai/client/typed-abi/TaskRegistry";
import { useChainClient } from "../chain/client.ts";
import { type Config, useConfig } from "../config.ts";
import { foreign } from "../ui/format.ts";
import { Card } from "../ui/page.tsx";
import type { Sent } from "./account.ts";
import { Act } from "./act.tsx";
import { useDraft } from "./draft.ts";
import { useClasses } from "./own.ts";
import { QuoteButton } from "./quote.tsx";
import { keepQuote } from "./quotes-kept.ts";
import { SpecForm } from "./spec-form.tsx";
import { SpecUpload } from "./spec-upload.tsx";
import { submissionPlan, type TaskForm } from "./submission.ts";

const FIELDS = [
  ["Units", "units", "numeric"],
  ["Maximum price of a unit, VER", "price", "decimal"],
  ["Deadline, minutes from now", "minutes", "numeric"],
  ["Checkpoints on chain, seconds from one to the next", "interval", "numeric"],
  ["Other nodes that hold each checkpoint", "replicas", "numeric"],
  ["Audits: % of the work that other nodes run again (empty: what the fee pays for; 0: none)", "audits", "decimal"],
] as const;

/** The terms that a quote is for. */
const termsText = ({ units, price, classIds, audits }: TaskForm) => JSON.stringify([units, price, classIds, audits]);

/** Keeps the quote of a task that was just submitted, for the task's page. */
function keepQuoteOf({ chainId }: Config, { logs }: Sent, { cost, fee }: Quote): void {
  const [submitted] = parseEventLogs({ abi: taskRegistryAbi, eventName: "TaskSubmitted", logs: [...logs] });
  if (!submitted) return;
  const { taskId, specDigest } = submitted.args;
  keepQuote(chainId, { taskId, spec: specDigest, cost: String(cost), fee: String(fee) });
}

/** The form of a task: a spec by form, typed, or from a file, and its terms. */
export function SubmitForm({ onDone }: { onDone: (sent: Sent) => void }) {
  const config = useConfig();
  const client = useChainClient();
  const classes = useClasses();
  const [form, setForm] = useDraft();
  // Counts specs that did not come from the form by fields, which then shows what they say.
  const [typed, setTyped] = useState(0);
  const [quoted, setQuoted] = useState<{ readonly quote: Quote; readonly terms: string }>();
  const set = (change: Partial<TaskForm>) => {
    setForm((before) => ({ ...before, ...change }));
  };
  const replace = (spec: string) => {
    set({ spec });
    setTyped((before) => before + 1);
  };
  return (
    <Card
      title="Submit a task"
      source="The spec’s CID goes on chain. Nodes sign that they hold the spec before you confirm: nothing has to stay open"
    >
      <div className="form">
        <label>
          Spec (JSON)
          <textarea
            rows={8}
            spellCheck={false}
            value={form.spec}
            onChange={({ target }) => {
              replace(target.value);
            }}
          />
        </label>
        <SpecUpload onSpec={replace} />
      </div>
      <SpecForm
        spec={form.spec}
        revision={typed}
        onChange={(spec) => {
          set({ spec });
        }}
      />
      <div className="form">
        {FIELDS.map(([label, field, inputMode]) => (
          <label key={field}>
            {label}
            <input
              inputMode={inputMode}
              value={form[field]}
              onChange={({ target }) => {
                set({ [field]: target.value });
              }}
            />
          </label>
        ))}
        <fieldset>
          <legend>Classes that may serve it</legend>
          <div className="row">
            {(classes.data ?? []).map(({ id, name }) => (
              <label key={id} className="check">
                <input
                  type="checkbox"
                  checked={form.classIds.includes(id)}
                  onChange={({ target }) => {
                    const others = form.classIds.filter((each) => each !== id);
                    set({ classIds: target.checked ? [...others, id] : others });
                  }}
                />
                {foreign(name, 40)}
              </label>
            ))}
          </div>
        </fieldset>
      </div>
      <div className="row">
        <QuoteButton
          form={form}
          onQuote={(quote, of) => {
            setQuoted({ quote, terms: termsText(of) });
          }}
        />
        <Act
          primary
          label="Submit"
          subject={JSON.stringify(form)}
          plan={({ address }) => submissionPlan(config, client, address, form)}
          onDone={(sent) => {
            if (quoted?.terms === termsText(form)) keepQuoteOf(config, sent, quoted.quote);
            onDone(sent);
          }}
        />
      </div>
    </Card>
  );
}
