import { useState } from "react";

import type { Quote } from "@verai/client/quote";
import { useConfig } from "../config.ts";
import { readerOf } from "../chain/reader.ts";
import { counted, exactVer, foreign } from "../ui/format.ts";
import { Failure } from "../ui/failure.tsx";
import { Table } from "../ui/table.tsx";
import { type ActionError, explained } from "./explain.ts";
import { type TaskForm, termsOf } from "./submission.ts";

/** What a task would cost now: the allocation is solved in this browser, from the chain's own lists. */
export function QuoteButton({ form, onQuote }: { form: TaskForm; onQuote: (quote: Quote, form: TaskForm) => void }) {
  const config = useConfig();
  const [state, setState] = useState<{ busy: boolean; found?: Quote; units?: number; error?: ActionError }>({
    busy: false,
  });
  const quote = async () => {
    setState({ busy: true });
    try {
      const { units, maxPrice, classIds, auditChance } = termsOf(form);
      const [reader, { quoteTask }] = await Promise.all([readerOf(config), import("@verai/client/quote")]);
      const classes = classIds.map((classId) => ({ classId, surcharge: 0n }));
      // What is asked for by default costs what no audits cost.
      const wish = { units, maxPrice, classes, auditChance: auditChance ?? 0 };
      const found = await quoteTask(reader, await reader.block(), wish, true);
      setState({ busy: false, found, units });
      onQuote(found, form);
    } catch (error) {
      setState({ busy: false, error: await explained(error) });
    }
  };
  const { busy, found, units = 0, error } = state;
  return (
    <div className="act">
      <button type="button" disabled={busy} onClick={() => void quote()}>
        Quote
      </button>
      <div role="status" data-testid="quote">
        {busy && <p className="soft">Reading what is listed, and solving the allocation…</p>}
        {found && (
          <div className="note">
            <p>
              <strong>
                {found.leasedUnits} of {counted(units, "unit")} would be leased now, for {exactVer(found.cost)}
              </strong>{" "}
              on {counted(found.nodes.length, "node")}, and {exactVer(found.fee)} of fee.
              {found.openUnits > 0 && " The rest waits: raise the price, or let more classes serve it."}
              {found.competitors > 0 && ` ${counted(found.competitors, "task")} that wait before it were counted in.`}
            </p>
            <p>
              {exactVer(found.escrow)} are locked, of which what is not spent comes back; submitting costs{" "}
              {exactVer(found.submissionFee)}, and a round at most {exactVer(found.seedPrice)} for its seed.
            </p>
            <Table
              label="Classes of the quote"
              rows={found.classes}
              keyOf={({ name }) => name}
              empty="No class"
              columns={[
                { title: "Class", cell: ({ name }) => foreign(name, 40) },
                { title: "Units", number: true, cell: ({ units: leased }) => String(leased) },
                { title: "Listed", number: true, cell: ({ listed }) => String(listed) },
                {
                  title: "Lowest ask",
                  number: true,
                  cell: ({ lowestAsk }) => (lowestAsk === undefined ? "–" : exactVer(lowestAsk)),
                },
              ]}
            />
          </div>
        )}
      </div>
      {error && <Failure title="No quote" error={error} onRetry={() => void quote()} />}
    </div>
  );
}
