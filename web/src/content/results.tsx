import { useEffect, useState } from "react";

import type { Lease } from "../api/generated.ts";
import { useChainClient } from "../chain/client.ts";
import { useConfig } from "../config.ts";
import { Failure } from "../ui/failure.tsx";
import { bytes, counted, foreign } from "../ui/format.ts";
import { Cid, IdLink } from "../ui/links.tsx";
import { Card } from "../ui/page.tsx";
import { useActor } from "../wallet/account.ts";
import { type ActionError, explained } from "../wallet/explain.ts";
import type { VerifiedFile } from "./car.ts";
import { readLog, readResult } from "./read.ts";

/** Bytes of a file that are shown as text, and of a log. */
const [SHOWN_BYTES, SHOWN_LOG] = [4_096, 16_384];
/** Results and running leases that are listed. */
const MOST = 50;

/** What a task has left: results that are fetched and verified here, and logs of what runs. Its developer reads them. */
export default function Results({ owner, leases }: { owner: string; leases: readonly Lease[] }) {
  const config = useConfig();
  const actor = useActor();
  if (config.doorUrls.length === 0) return null;
  const delivered = leases.filter(({ resultCid }) => resultCid !== null).slice(0, MOST);
  const running = leases.filter(({ status }) => status === "active" || status === "moving").slice(0, MOST);
  const isOwner = actor?.address.toLowerCase() === owner.toLowerCase();
  return (
    <Card
      title="Results and logs"
      source="From the nodes that hold them, through a node’s door; every block is hashed in this browser"
    >
      {!isOwner && (
        <p className="soft">
          The task’s developer reads them, and accounts that its spec names: connect one to try. Reading asks for a
          signature, which costs nothing.
        </p>
      )}
      {delivered.length === 0 && running.length === 0 && <p className="empty">There is nothing to read yet.</p>}
      {delivered.map((lease) => (
        <Result key={lease.id} lease={lease} />
      ))}
      {running.map((lease) => (
        <Log key={lease.id} lease={lease} />
      ))}
    </Card>
  );
}

interface Reading<T> {
  readonly busy: boolean;
  readonly value?: T;
  readonly error?: ActionError;
}

/** One reading, on a click. */
function useReading<T>(read: () => Promise<T>): [Reading<T>, () => void] {
  const [state, setState] = useState<Reading<T>>({ busy: false });
  const run = async () => {
    setState({ busy: true });
    try {
      setState({ busy: false, value: await read() });
    } catch (error) {
      setState({ busy: false, error: await explained(error) });
    }
  };
  return [state, () => void run()];
}

function Result({ lease: { id, resultCid, resultSize } }: { lease: Lease }) {
  const config = useConfig();
  const client = useChainClient();
  const actor = useActor();
  const [{ busy, value, error }, run] = useReading(async () => {
    if (!actor) throw new Error("Connect an account first.");
    return readResult(config, client, actor, id);
  });
  return (
    <div className="own">
      <p>
        <IdLink kind="lease" id={id} />: <Cid value={resultCid} /> {bytes(resultSize ?? 0)}
      </p>
      <button type="button" disabled={busy || !actor} onClick={run}>
        {`Fetch and verify the result of lease ${String(id)}`}
      </button>
      <div role="status">
        {busy && <p className="soft">Fetching…</p>}
        {value && (
          <>
            <p data-testid="verified">
              <strong>Verified.</strong> Every block matches its hash, and the root is the CID on chain:{" "}
              {counted(value.files.length, "file")}.
            </p>
            {value.cid !== resultCid && (
              <p className="note warn">
                The indexer names another result than the chain. This is the chain’s: <Cid value={value.cid} />
              </p>
            )}
            <ul>
              {value.files.map((file) => (
                <File key={file.path} file={file} />
              ))}
            </ul>
          </>
        )}
      </div>
      {error && <Failure title="Not read" error={error} onRetry={run} />}
    </div>
  );
}

function File({ file: { path, bytes: content } }: { file: VerifiedFile }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([content]));
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
    };
  }, [content]);
  const name = foreign(path, 200);
  const isText = /\.(json|txt|log|csv|md)$/.test(path) && content.byteLength <= SHOWN_BYTES;
  return (
    <li>
      <a href={url} download={path.split("/").at(-1)}>
        {name}
      </a>{" "}
      {bytes(content.byteLength)}
      {isText && (
        <details>
          <summary>Show {name}</summary>
          <pre>{linesOf(new TextDecoder().decode(content))}</pre>
        </details>
      )}
    </li>
  );
}

function Log({ lease: { id, start, count } }: { lease: Lease }) {
  const config = useConfig();
  const actor = useActor();
  const [unit, setUnit] = useState(start);
  const [{ busy, value, error }, run] = useReading(async () => {
    if (!actor) throw new Error("Connect an account first.");
    return readLog(config, actor, id, unit);
  });
  return (
    <div className="own">
      <div className="row">
        <label>
          Unit of lease {id}{" "}
          <select
            value={unit}
            onChange={({ target }) => {
              setUnit(Number(target.value));
            }}
          >
            {Array.from({ length: Math.min(count, 256) }, (_, i) => (
              <option key={i} value={start + i}>
                {start + i}
              </option>
            ))}
          </select>
        </label>
        <button type="button" disabled={busy || !actor} onClick={run}>
          {`Show the log of lease ${String(id)}`}
        </button>
      </div>
      {value !== undefined && (
        <pre data-testid="log">{value === "" ? "The log is empty." : linesOf(value.slice(-SHOWN_LOG))}</pre>
      )}
      {error && <Failure title="No log" error={error} onRetry={run} />}
    </div>
  );
}

/** A log as text: line by line, each with control characters made visible. */
function linesOf(text: string): string {
  return text
    .split("\n")
    .map((line) => foreign(line, 500))
    .join("\n");
}
