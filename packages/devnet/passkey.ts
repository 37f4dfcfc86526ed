import { createHash, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";

import { AbiCoder, getBytes, toBeHex } from "ethers";

/** Order of the curve P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A passkey without a device: what an authenticator does once its user has agreed. For tests on simulated chains. */
export class SoftPasskey {
  readonly x: string;
  readonly y: string;
  readonly #key: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    this.x = `0x${Buffer.from(x, "base64url").toString("hex").padStart(64, "0")}`;
    this.y = `0x${Buffer.from(y, "base64url").toString("hex").padStart(64, "0")}`;
    this.#key = privateKey;
  }

  /** Signs a hash as an account takes it: the six fields of a WebAuthn assertion. */
  sign(hash: string): string {
    const head = '{"type":"webauthn.get",';
    const challenge = Buffer.from(getBytes(hash)).toString("base64url");
    const client = `${head}"challenge":"${challenge}","origin":"http://localhost"}`;
    const authenticator = Buffer.concat([
      createHash("sha256").update("localhost").digest(),
      Buffer.from("0500000000", "hex"),
    ]);
    const signed = Buffer.concat([authenticator, createHash("sha256").update(client).digest()]);
    const raw = createSign("sha256").update(signed).sign({ key: this.#key, dsaEncoding: "ieee-p1363" });
    const s = BigInt(`0x${raw.subarray(32).toString("hex")}`);
    return AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
      [raw.subarray(0, 32), toBeHex(s > ORDER / 2n ? ORDER - s : s, 32), head.length, 1, authenticator, client],
    );
  }
}
