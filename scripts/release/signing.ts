import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "./run.ts";

/** An SSH key that signs a release, and who it is said to be. */
export interface SigningKey {
  /** The private key's file, or the public one of a key that an agent holds. */
  readonly file: string;
  readonly signer: string;
  /** Removes it, where it was made for a dry run. */
  readonly forget: () => void;
}

/** What signatures of a release's checksums are for; anyone who verifies them names it. */
const NAMESPACE = "drmp-release";

/** A key that exists for one dry run: it shows that everything can be signed and verified, and vouches for nothing. */
export function throwawayKey(): SigningKey {
  const folder = mkdtempSync(join(tmpdir(), "drmp-release-"));
  chmodSync(folder, 0o700);
  const file = join(folder, "key");
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "dry run", "-f", file]);
  return {
    file,
    signer: "dry-run@example.org",
    forget: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Signs a file, and verifies the signature as anyone who downloads it does.
 *
 * @returns The signature's file.
 */
export function signFile(file: string, key: SigningKey): string {
  run("ssh-keygen", ["-Y", "sign", "-q", "-n", NAMESPACE, "-f", key.file, file]);
  const signers = withSigners(key);
  try {
    const verify = ["-Y", "verify", "-n", NAMESPACE, "-f", signers.file, "-I", key.signer, "-s", `${file}.sig`];
    run("ssh-keygen", verify, { input: readFileSync(file) });
  } finally {
    signers.forget();
  }
  return `${file}.sig`;
}

/** Makes a signed tag, and verifies it. */
export function signTag(repository: string, tag: string, message: string, key: SigningKey): void {
  const signers = withSigners(key);
  try {
    const settings = ["gpg.format=ssh", `user.signingKey=${key.file}`, `gpg.ssh.allowedSignersFile=${signers.file}`];
    const git = ["-C", repository, ...settings.flatMap((setting) => ["-c", setting])];
    run("git", [...git, "tag", "--sign", "--message", message, tag]);
    run("git", [...git, "verify-tag", tag]);
  } finally {
    signers.forget();
  }
}

/** A file of signers with this key alone. */
function withSigners({ file, signer }: SigningKey): { readonly file: string; readonly forget: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "drmp-signers-"));
  const publicKey = readFileSync(file.endsWith(".pub") ? file : `${file}.pub`, "utf8").trim();
  writeFileSync(join(folder, "signers"), `${signer} ${publicKey}\n`);
  return {
    file: join(folder, "signers"),
    forget: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
