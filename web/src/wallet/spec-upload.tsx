import { useState } from "react";

import { readSpec } from "../content/spec.ts";
import { Failure } from "../ui/failure.tsx";
import { foreign } from "../ui/format.ts";
import { explained } from "./explain.ts";

/** A byte more than a spec may have, for the schema to say so. */
const READ_BYTES = 65_537;

/** A spec from a file, held to the nodes' schema before it takes the place of the one in the form: a file that does not fit changes nothing. */
export function SpecUpload({ onSpec }: { onSpec: (spec: string) => void }) {
  const [said, setSaid] = useState<{ readonly name: string; readonly error?: unknown }>();
  const take = async (file: File) => {
    const name = foreign(file.name, 60);
    try {
      const text = await file.slice(0, READ_BYTES).text();
      await readSpec(text);
      setSaid({ name });
      onSpec(text);
    } catch (error) {
      setSaid({ name, error: await explained(error) });
    }
  };
  return (
    <div>
      <label>
        …or from a file
        <input
          type="file"
          accept="application/json,.json"
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            // The same file can be chosen again after it was corrected.
            if (file) void take(file).finally(() => (target.value = ""));
          }}
        />
      </label>
      <div role="status">
        {said && said.error === undefined && <p className="soft">{said.name} fits, and is the spec now.</p>}
      </div>
      {said?.error !== undefined && (
        <Failure title={`${said.name} was not taken; the spec here is as it was`} error={said.error} />
      )}
    </div>
  );
}
