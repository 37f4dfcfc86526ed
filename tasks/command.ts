import { CommandError } from "./errors.ts";

/** How an option's value is read. A flag takes none. */
export type OptionType = "string" | "int" | "flag";

/** An option of a command, by its name in camel case: `maxPrice` is given as `--max-price`. */
export interface CommandOption {
  readonly name: string;
  readonly description: string;
  readonly type: OptionType;
  readonly defaultValue: string | number | boolean;
}

/** What a command does with its options and an `Environment` (Hardhat's own, if the command needs Hardhat). */
export type Action = (args: never, environment: never) => Promise<void>;

/**
 * A command, defined once and offered at two doors: `npx hardhat task:submit …` and `npx drmp task submit …` take the same
 * options and print the same.
 */
export interface Command {
  /** Subject and verb: `task:submit`. */
  readonly id: string;
  readonly description: string;
  /** Arguments that can be pasted after the command. */
  readonly example: string;
  readonly options: readonly CommandOption[];
  /** An option that may also be given without its name, right after the command. */
  readonly positional?: string;
  /** Needs the compiler or Ignition, which only Hardhat has. */
  readonly hardhatOnly: boolean;
  /** Loads what it does; called only when it runs. */
  readonly load: () => Promise<{ readonly default: Action }>;
}

interface GivenOption {
  readonly name: string;
  readonly description: string;
  readonly type?: "string" | "int";
  readonly defaultValue: string | number;
}

/** Builds a command, in the manner of Hardhat's own task builder. */
export class CommandBuilder {
  readonly #id: string;
  readonly #description: string;
  readonly #example: string;
  readonly #options: CommandOption[] = [];
  #hardhatOnly = false;
  #positional: string | undefined;
  #load: Command["load"] | undefined;

  constructor(id: string, description: string, example: string) {
    this.#id = id;
    this.#description = description;
    this.#example = example;
  }

  addOption({ type = "string", ...option }: GivenOption): this {
    this.#options.push({ ...option, type });
    return this;
  }

  /** An option that people also type without its name: `drmp run train.py`. At the door of Hardhat it keeps its name. */
  addPositional(option: GivenOption): this {
    this.#positional = option.name;
    return this.addOption(option);
  }

  addFlag({ name, description }: { readonly name: string; readonly description: string }): this {
    this.#options.push({ name, description, type: "flag", defaultValue: false });
    return this;
  }

  /** For what needs the compiler or Ignition. */
  onlyWithHardhat(): this {
    this.#hardhatOnly = true;
    return this;
  }

  setAction(load: Command["load"]): this {
    this.#load = load;
    return this;
  }

  build(): Command {
    if (!this.#load) throw new CommandError("UNEXPECTED", `${this.#id} has no action`);
    return {
      id: this.#id,
      description: this.#description,
      example: this.#example,
      options: this.#options,
      ...(this.#positional !== undefined && { positional: this.#positional }),
      hardhatOnly: this.#hardhatOnly,
      load: this.#load,
    };
  }
}

/** `maxPrice` → `--max-price`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
