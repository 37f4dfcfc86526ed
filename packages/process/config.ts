import { readFileSync } from "node:fs";

import { z } from "zod";

import { DrmpError } from "@verai/errors/drmp-error";

/** A configuration that cannot be used. The message names the file, each wrong entry and what is expected there. */
export class ConfigError extends DrmpError {
  override readonly name = "ConfigError";

  constructor(message: string, options?: ErrorOptions) {
    super("CONFIG_INVALID", message, options);
  }
}

/**
 * Reads and validates a JSON configuration file.
 *
 * @param schema Build it of strict objects, so that an unknown key (most often a misspelt one) is an error.
 * @throws {@link ConfigError} if the file is missing, is no JSON, or does not fit.
 */
export function readConfig<T extends z.ZodType>(file: string, schema: T): z.output<T> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(`Cannot read the configuration file ${file}. Check its path and permissions.`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`The configuration file ${file} is not valid JSON: ${whereWrong(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new ConfigError(`The configuration file ${file} does not fit:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** What a parser found, without the piece of the text that it may quote: it may be part of an access key. */
function whereWrong(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, \.*".*"\.* is not valid JSON$/s, "");
}
