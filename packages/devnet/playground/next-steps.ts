/** Something to try on the devnet: a command that works as it stands, and what it does. */
export interface NextStep {
  /** Short and unique, for programs. */
  readonly id: string;
  readonly what: string;
  readonly command: string;
}

/** What the commands name. */
export interface NextStepFacts {
  /** The sample spec, and the agent's configuration for a machine of one's own. */
  readonly spec: string;
  readonly agent: string;
  readonly results: string;
  /** Address of the operator key in {@link agent}. */
  readonly operator: string;
  /** The node that is killed to see its work go on elsewhere. */
  readonly victim: string;
}

/** Terms of the node in the agent's configuration; the command that registers it names the same. */
export const OWN_NODE = { class: "cpu/eu", capacity: 2, ask: "0.012", energySource: "solar" } as const;

/** Units of the sample spec's task. */
const SAMPLE_UNITS = 4;

/** What to try next, in an order in which all of it works. Pure. */
export function nextSteps({ spec, agent, results, operator, victim }: NextStepFacts): NextStep[] {
  const offer = `--units ${String(SAMPLE_UNITS)} --max-price 0.02 --classes cpu/eu`;
  const { class: name, capacity, ask, energySource } = OWN_NODE;
  return [
    { id: "status", what: "See the network at a glance", command: "scripts/drmp status" },
    { id: "quote", what: "Ask what a task would cost now", command: `scripts/drmp task:quote ${offer}` },
    {
      id: "submit",
      what: "Have four small networks trained; this follows the task to its end",
      command: `scripts/drmp task:submit --spec ${spec} ${offer} --interval 5s --within 1h --yes`,
    },
    {
      id: "kill",
      what: "Meanwhile, in another terminal: let a node fail, and watch its work go on elsewhere after a minute",
      command: `scripts/drmp devnet kill ${victim}`,
    },
    { id: "watch", what: "Follow the task from there", command: "scripts/drmp task:watch --task 1" },
    {
      id: "start",
      what: "Bring the node back, once its work has gone on elsewhere",
      command: `scripts/drmp devnet start ${victim}`,
    },
    {
      id: "result",
      what: "Fetch the results, verify and accept them, so that the nodes are paid",
      command: `scripts/drmp task:result --task 1 --out ${results} --accept --yes`,
    },
    {
      id: "register",
      what: "Offer this machine as a node of your own",
      command: `scripts/drmp node:register --operator ${operator} --class ${name} --capacity ${String(capacity)} --ask ${ask} --energy-source ${energySource} --yes`,
    },
    { id: "agent", what: "Run its agent", command: `scripts/drmp node:run --file ${agent}` },
    { id: "nodes", what: "See what the nodes do", command: "scripts/drmp node:status" },
  ];
}
