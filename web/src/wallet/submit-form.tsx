import { useState } from "react";

import { useChainClient } from "../chain/client.ts";
import { useConfig } from "../config.ts";
import { foreign } from "../ui/format.ts";
import { Card } from "../ui/page.tsx";
import type { Sent } from "./account.ts";
import { Act } from "./act.tsx";
import { useClasses } from "./own.ts";
import { QuoteButton } from "./quote.tsx";
import { SpecForm } from "./spec-form.tsx";
import { FIRST, submissionPlan, type TaskForm } from "./submission.ts";

const FIELDS = [
  ["Units", "units", "numeric"],
  ["Maximum price of a unit, VER", "price", "decimal"],
  ["Deadline, minutes from now", "minutes", "numeric"],
  ["Checkpoints on chain, seconds from one to the next", "interval", "numeric"],
  ["Other nodes that hold each checkpoint", "replicas", "numeric"],
  ["Audits: % of the work that other nodes run again (empty: what the fee pays for; 0: none)", "audits", "decimal"],
] as const;

/** The form of a task: a spec by form, typed, or from a file, and its terms. */
export function SubmitForm({ onDone }: { onDone: (sent: Sent) => void }) {
  const config = useConfig();
  const client = useChainClient();
  const classes = useClasses();
  const [form, setForm] = useState(FIRST);
  const set = (change: Partial<TaskForm>) => {
    setForm({ ...form, ...change });
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
              set({ spec: target.value });
            }}
          />
        </label>
        <label>
          …or from a file
          <input
            type="file"
            accept="application/json,.json"
            onChange={({ target }) =>
              void target.files?.[0]
                ?.slice(0, 65_537)
                .text()
                .then((spec) => {
                  set({ spec });
                })
            }
          />
        </label>
      </div>
      <SpecForm
        spec={form.spec}
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
        <QuoteButton form={form} />
        <Act
          primary
          label="Submit"
          plan={({ address }) => submissionPlan(config, client, address, form)}
          onDone={onDone}
        />
      </div>
    </Card>
  );
}
