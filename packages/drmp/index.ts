/**
 * What a program needs of DRMP whatever library it speaks to the chain with: plain data and pure functions.
 *
 * @packageDocumentation
 */
export { CONTRACT_NAMES, type ContractName } from "@verai/client/contract-names";
export { type Addresses, addressesOn, addressOf, type Hex } from "./addresses.ts";

export { CONSTANTS } from "@verai/client/generated/constants";
export { ENUMS } from "@verai/client/generated/enums";
export { PARAMETER_LIST, PARAMETER_SETTINGS } from "@verai/client/generated/parameters";
export {
  type Admission,
  type BatchStatus,
  type EnergyMethod,
  type EnergyScope,
  type EnergySource,
  FINAL_LEASE_STATUSES,
  type LeaseHealth,
  type LeaseStatus,
  type MoveCause,
  type NodeStatus,
  numberOf,
  type ParameterName,
  type ReportRefusal,
  type RoundStatus,
  type TaskStatus,
  enumName,
} from "@verai/client/enums";

export { describeError, type ErrorDescription } from "@verai/client/describe-error";

export { SIGNING_DOMAIN, TYPED_DATA } from "@verai/client/generated/signing";
export { type SigningDomain, signingDomain } from "@verai/client/signing";
export { type PermitTerms, permitTypedData } from "./permit.ts";

export { classNameFromBytes32, classNameToBytes32 } from "@verai/client/class-names";
export { auditedFee, paidAuditChance } from "@verai/protocol/money/audit-fee";
export { askToTick, tickToPrice } from "@verai/protocol/money/ticks";
export {
  BASIS,
  MAX_PRICE,
  MAX_TASK_CLASSES,
  MAX_UNITS,
  PRICE_UNIT,
  TICKS,
  WEI_PER_VER,
} from "@verai/protocol/money/units";
export { formatPrice, formatVer, microToWei, parsePrice, parseVer, weiToMicro } from "@verai/protocol/money/ver";

export { type ChainCid, CODEC_DAG_PB, CODEC_RAW, fromChainCid, toChainCid } from "@verai/protocol/checkpoints/cid";
