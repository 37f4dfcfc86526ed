import { openUnits, usefulSupply, wholeUnits } from "@verai/protocol/allocation/linear-program";
import type { Primal, Problem } from "@verai/protocol/allocation/model";

/** The linear program as sparse columns, for programs that are not libraries of ours. */
export interface Program {
  /** Of the first rows, one per task, both sides are equal to its units; of the others, one per class, the sum is at most 0. */
  readonly demand: readonly number[];
  readonly classes: number;
  readonly columns: readonly Column[];
}

/** A column: cost in micro-VER × 1024, bounds from 0 to `most`, and its entries. */
export interface Column {
  readonly cost: number;
  /** null: without bound. */
  readonly most: number | null;
  readonly rows: readonly number[];
  readonly values: readonly number[];
}

/** Of each task its open units and its choices, then the steps of supply. */
export function programOf(problem: Problem): Program {
  const count = problem.tasks.length;
  const columns: Column[] = [];
  problem.tasks.forEach(({ maxPrice, choices }, t) => {
    columns.push({ cost: maxPrice, most: null, rows: [t], values: [1] });
    for (const { column, surcharge } of choices) {
      columns.push({ cost: surcharge, most: null, rows: [t, count + column], values: [1, 1] });
    }
  });
  usefulSupply(problem).forEach((steps, column) => {
    for (const { price, units } of steps)
      columns.push({ cost: price, most: units, rows: [count + column], values: [-1] });
  });
  return { demand: problem.tasks.map(({ units }) => units), classes: problem.classes.length, columns };
}

/** The solution that values of the columns are. */
export function primalOf(problem: Problem, values: (column: number) => number, name: string): Primal {
  let column = 0;
  const flows = problem.tasks.map(({ choices }) => {
    column += 1;
    return choices.map(() => wholeUnits(values(column++), name));
  });
  return { flows, open: openUnits(problem, flows) };
}

/** The program in free MPS format. */
export function mpsOf({ demand, classes, columns }: Program): string {
  const lines = ["NAME drmp FREE", "ROWS", " N cost"];
  demand.forEach((_, t) => lines.push(` E r${t}`));
  for (let k = 0; k < classes; k++) lines.push(` L r${demand.length + k}`);
  lines.push("COLUMNS");
  columns.forEach(({ cost, rows, values }, c) => {
    lines.push(` c${c} cost ${cost}`);
    rows.forEach((row, i) => lines.push(` c${c} r${row} ${values[i] ?? 0}`));
  });
  lines.push("RHS");
  demand.forEach((units, t) => lines.push(` rhs r${t} ${units}`));
  lines.push("BOUNDS");
  columns.forEach(({ most }, c) => {
    if (most !== null) lines.push(` UP bound c${c} ${most}`);
  });
  return [...lines, "ENDATA", ""].join("\n");
}
