import { fieldsOf, isJsonObject, specOf, type SpecFields } from "./spec-fields.ts";

const LINES = [
  ["Name", "name"],
  ["CPUs", "cpus"],
  ["Memory, MiB", "memoryMiB"],
  ["GPUs", "gpus"],
  ["Seconds between its checkpoints", "interval"],
  ["Steps from one state to the next, for audits (empty: as it likes)", "everySteps"],
  ["Longest time of a unit, seconds", "unitSeconds"],
] as const;

const AREAS = [
  ["Arguments, one a line", "args"],
  ["Variables, NAME=value, one a line", "env"],
  ["Outputs, a path a line", "outputs"],
] as const;

/**
 * A spec by form: each change is written into the spec beside it, which may be edited as well.
 *
 * @param revision Changes whenever the spec was changed elsewhere.
 */
export function SpecForm({
  spec,
  revision,
  onChange,
}: {
  spec: string;
  revision: number;
  onChange: (spec: string) => void;
}) {
  const isObject = isJsonObject(spec);
  const fields = fieldsOf(spec);
  const set = (change: Partial<SpecFields>) => {
    onChange(specOf({ ...fields, ...change }, spec));
  };
  return (
    <details data-testid="spec-form">
      <summary>Fill the spec in by form</summary>
      {!isObject && (
        <p className="note warn" role="status">
          The spec above is no JSON object. Correct it there: the fields here would overwrite it.
        </p>
      )}
      <fieldset className="form plain" disabled={!isObject}>
        <label>
          Program
          <select
            value={fields.kind}
            onChange={({ target }) => {
              set({ kind: target.value === "image" ? "image" : "trainer" });
            }}
          >
            <option value="trainer">built-in trainer</option>
            <option value="image">image by digest</option>
          </select>
        </label>
        <label>
          {fields.kind === "image" ? "Image, name@sha256:…" : "Trainer"}
          <input
            value={fields.program}
            spellCheck={false}
            onChange={({ target }) => {
              set({ program: target.value });
            }}
          />
        </label>
        {LINES.map(([label, field]) => (
          <label key={field}>
            {label}
            <input
              value={fields[field]}
              spellCheck={false}
              onChange={({ target }) => {
                set({ [field]: target.value });
              }}
            />
          </label>
        ))}
        {AREAS.map(([label, field]) => (
          <label key={field}>
            {label}
            <textarea
              rows={3}
              spellCheck={false}
              defaultValue={fields[field]}
              key={`${field} ${fields.kind} ${String(revision)}`}
              onChange={({ target }) => {
                set({ [field]: target.value });
              }}
            />
          </label>
        ))}
      </fieldset>
    </details>
  );
}
