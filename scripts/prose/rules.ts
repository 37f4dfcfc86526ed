/** Where words stand: pages, TypeScript, Solidity, other files with comments. */
export type Kind = "page" | "typescript" | "solidity" | "yaml";

/** A wording that a native reader would stop at, and what to write in its place. */
export interface Rule {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Sentences that the rule must find. */
  readonly bad: readonly string[];
  /** Sentences that look like it and are right. */
  readonly good: readonly string[];
  /** Where it holds; everywhere if left out. */
  readonly kinds?: readonly Kind[];
  /** Whether it is about the first word of a comment only. */
  readonly first?: true;
}

/** What a sentence, or the part of one, can end with. */
const END = String.raw`(?=\s*(?:[.,;:)!?"'\u0060]|$))`;

export const RULES: readonly Rule[] = [
  {
    pattern: /\bany(?: |)more\b/i,
    instead: 'say "no longer", or "further"',
    bad: ["It is not asked any more.", "not anymore"],
    good: ["It is no longer asked.", "many more"],
  },
  {
    pattern: new RegExp(String.raw`, too${END}`, "i"),
    instead: 'put "also" before the verb',
    bad: ["The chain checks that, too.", "his own, too, and hers"],
    good: ["An answer that is cut, too large or too late.", "It also checks that."],
  },
  {
    pattern: /\bwhoever\b/i,
    instead: 'say "anyone who", or name the role',
    bad: ["Whoever steals it can lose you leases."],
    good: ["Anyone who steals it can lose you leases."],
  },
  {
    pattern: new RegExp(String.raw`\b(?:is|are|was|were|be) there${END}`, "i"),
    instead: 'say "exists", "is available", "has arrived"',
    bad: ["until the seed is there.", "with all that is there"],
    good: ["There is no lease 7.", "is there a node"],
  },
  {
    pattern: /\b(?:find|found|finds) out\b/i,
    instead: 'say "measure", "learn" or "determine"',
    bad: ["how energy is found out"],
    good: ["how energy is measured"],
  },
  {
    pattern: /\blayer below\b/i,
    instead: 'say "L1"',
    bad: ["the fee for the layer below"],
    good: ["the L1 data fee"],
  },
  {
    pattern: /\banew\b/i,
    instead: 'say "again"',
    bad: ["It is fetched anew."],
    good: ["It is fetched again."],
  },
  {
    pattern: /^(?:the )?(?:most|least)\b(?! (?:of|often|likely|recent))/i,
    instead: 'begin with "Maximum" or "Minimum"',
    bad: ["Most bytes of checkpoints on disk.", "The most that a unit may cost.", "Least time between two rounds"],
    good: ["Maximum size of the store in bytes.", "Most of it is cached."],
    first: true,
  },
  {
    pattern: /\bthe (?:most|least) (?:that|which|it|any|a|an|he|she|they)\b/i,
    instead: 'say "the maximum", "the minimum"',
    bad: ["the most that the machine can draw", "the most a unit may cost"],
    good: ["the maximum power of the machine", "the most loaded node"],
  },
  {
    pattern: /\bleast (?:price|time|cost|number|amount)\b/i,
    instead: 'say "lowest", "shortest", "smallest" or "minimum"',
    bad: ["done at the least price"],
    good: ["done at the lowest price"],
  },
  {
    pattern: /\bso often at most\b|\bof late\b|\bby and by\b|\bto and fro\b/i,
    instead: 'say "up to n times", "recently", "gradually", "back and forth"',
    bad: ["started again, so often at most", "a good cycle of late", "moving work to and fro"],
    good: ["started again up to n times", "a recent good cycle"],
  },
  {
    pattern: /\b(the|a|an|of|to|in|is|and|for|by|it|with|on|at|from|or|be) \1\b/i,
    instead: "one word twice",
    bad: ["in the the queue"],
    good: ["in the queue"],
  },
  {
    pattern: /\b(?:utili[sz]e|leverag(?:e|es|ing)|seamless(?:ly)?|effortless(?:ly)?|cutting-edge|world-class)\b/i,
    instead: "say what it does in plain words",
    bad: ["It leverages the chain."],
    good: ["It uses the chain."],
  },
  {
    pattern: /\b(?:behavior|colored|optimize[sd]?|optimizing|recognize[sd]?|organization|favor(?:s|ed)?)\b/i,
    instead: "British spelling: behaviour, optimise, recognise, organisation, favour",
    bad: ["It optimizes the behavior."],
    good: ["It optimises the behaviour."],
    kinds: ["page"],
  },
  {
    pattern: /\btransaction lanes?\b|\bsigner's lane\b/i,
    instead: 'say "transaction queue" (glossary)',
    bad: ["the transaction lane"],
    good: ["the transaction queue", "the fast lane"],
    kinds: ["page"],
  },
  {
    pattern: /\bpulse\b|\bpatience\b/i,
    instead: 'say "heartbeat"; "time-out" or "deadline" (glossary)',
    bad: ["while the pulse is good", "whose patience is bounded"],
    good: ["while the heartbeat is good", "which waits for a bounded time"],
  },
  {
    pattern: /\bdear(?:er)?\b/i,
    instead: 'say "expensive"',
    bad: ["a dear allocation", "a dearer node"],
    good: ["an expensive allocation"],
    kinds: ["page"],
  },
  {
    pattern: /\bbooks\b(?! (?:every|each|it|them))/i,
    instead: 'say "ledgers", "listings" or "journal" (glossary)',
    bad: ["the vault's books"],
    good: ["the vault's ledgers"],
    kinds: ["page"],
  },
];
