import type { Problem, ProblemClass, ProblemTask, Step } from "../model.ts";

/** A whole number from 0 up to but not including `below`. */
export type Draw = (below: number) => number;

/** What may happen to a market between two solves. Each leaves the problem that it is given as it is. */
export const CHANGES: Readonly<Record<string, (problem: Problem, draw: Draw) => Problem>> = {
  "a node joins": (problem, draw) =>
    changeClass(problem, draw, (each) => {
      const near = each.steps[draw(each.steps.length)]?.price ?? 7 * each.tickPrice;
      const price = Math.max(0, near + (draw(3) - 1) * each.tickPrice);
      return { ...each, steps: offered(each.steps, price, 1 + draw(16)) };
    }),
  "a node leaves": (problem, draw) =>
    changeClass(problem, draw, (each) => {
      const step = each.steps[draw(each.steps.length)];
      return step ? { ...each, steps: offered(each.steps, step.price, -1 - draw(16)) } : each;
    }),
  "a node asks another price": (problem, draw) =>
    changeClass(problem, draw, (each) => {
      const step = each.steps[draw(each.steps.length)];
      if (!step) return each;
      const units = 1 + draw(step.units);
      const price = Math.max(0, step.price + (draw(21) - 10) * each.tickPrice);
      return { ...each, steps: offered(offered(each.steps, step.price, -units), price, units) };
    }),
  "a task arrives": (problem, draw) => {
    const like = problem.tasks[draw(problem.tasks.length)];
    if (!like) return problem;
    const id = Math.max(...problem.tasks.map((task) => task.id)) + 1;
    return { ...problem, tasks: [...problem.tasks, { ...like, id, units: 1 + draw(2 * like.units) }] };
  },
  "a task is done": (problem, draw) =>
    problem.tasks.length > 1 ? { ...problem, tasks: problem.tasks.toSpliced(draw(problem.tasks.length), 1) } : problem,
  "a task wants more or less": (problem, draw) =>
    changeTask(problem, draw, (task) => ({ ...task, units: 1 + draw(2 * task.units) })),
  "a task pays more or less": (problem, draw) =>
    changeTask(problem, draw, (task) => {
      const percent = 50 + draw(101);
      return { ...task, maxPrice: Math.min(2 ** 50 - 1, Math.floor((task.maxPrice * percent) / 100)) };
    }),
  "another seed": (problem, draw) => ({
    ...problem,
    tasks: problem.tasks.map((task) => ({
      ...task,
      choices: task.choices.map(({ column, surcharge }) => ({
        column,
        surcharge: surcharge - (surcharge % 1024) + draw(1024),
      })),
    })),
  }),
};

function changeClass(problem: Problem, draw: Draw, change: (each: ProblemClass) => ProblemClass): Problem {
  const chosen = draw(problem.classes.length);
  return { ...problem, classes: problem.classes.map((each, k) => (k === chosen ? change(each) : each)) };
}

function changeTask(problem: Problem, draw: Draw, change: (task: ProblemTask) => ProblemTask): Problem {
  const chosen = draw(problem.tasks.length);
  return { ...problem, tasks: problem.tasks.map((task, t) => (t === chosen ? change(task) : task)) };
}

/** Supply with more units at a price, or fewer. */
function offered(steps: readonly Step[], price: number, units: number): Step[] {
  const at = steps.find((step) => step.price === price)?.units ?? 0;
  const others = steps.filter((step) => step.price !== price);
  const changed = at + units > 0 ? [...others, { price, units: at + units }] : others;
  return changed.sort((a, b) => a.price - b.price);
}
