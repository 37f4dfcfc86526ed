import { Command } from "commander";

// eslint-disable-next-line typescript/unbound-method -- called below with the command that it is of
const { helpInformation } = Command.prototype;

/** A program's help goes on with that of its commands, but for `help`, which all programs have. */
Command.prototype.helpInformation = function whole(this: Command, context): string {
  const own = this.commands.filter((command) => command.name() !== "help");
  return [this, ...own].map((command) => helpInformation.call(command, context)).join("\n");
};
