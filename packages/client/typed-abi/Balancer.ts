// Written by `npm run abi` from the contracts; do not edit.

/** ABI of Balancer, with literal types. @public */
export const balancerAbi = [
{"inputs":[{"internalType":"contract IParameters","name":"parameters","type":"address"},{"internalType":"contract ISupply","name":"supply","type":"address"},{"internalType":"contract ITaskRegistry","name":"tasks","type":"address"},{"internalType":"contract ILeaseRegistry","name":"leases","type":"address"},{"internalType":"contract ITelemetry","name":"telemetry","type":"address"},{"internalType":"contract IEnergyLedger","name":"ledger","type":"address"},{"internalType":"contract IReleaseFees","name":"releaseFees","type":"address"}],"stateMutability":"nonpayable","type":"constructor"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"}],"name":"LeaseNotActive","type":"error"},
{"inputs":[{"internalType":"uint32","name":"nodeId","type":"uint32"},{"internalType":"uint24","name":"units","type":"uint24"}],"name":"MoveOvershootsSource","type":"error"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"}],"name":"NoHeadwayYet","type":"error"},
{"inputs":[{"internalType":"uint32","name":"nodeId","type":"uint32"}],"name":"NodeNotReporting","type":"error"},
{"inputs":[{"internalType":"uint32","name":"taskId","type":"uint32"},{"internalType":"uint24","name":"units","type":"uint24"}],"name":"NotEnoughSupply","type":"error"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"},{"internalType":"uint256","name":"until","type":"uint256"}],"name":"RangeCooling","type":"error"},
{"inputs":[{"internalType":"uint32","name":"nodeId","type":"uint32"},{"internalType":"uint256","name":"load","type":"uint256"},{"internalType":"uint256","name":"loads","type":"uint256"},{"internalType":"uint256","name":"capacity","type":"uint256"}],"name":"SourceInBand","type":"error"},
{"inputs":[{"internalType":"uint32","name":"taskId","type":"uint32"},{"internalType":"uint40","name":"deadline","type":"uint40"}],"name":"TaskTooLate","type":"error"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"},{"internalType":"uint24","name":"units","type":"uint24"},{"internalType":"uint24","name":"count","type":"uint24"}],"name":"UnitsOutOfRange","type":"error"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"uint32","name":"leaseId","type":"uint32"},{"indexed":true,"internalType":"uint32","name":"fromNode","type":"uint32"},{"indexed":false,"internalType":"uint24","name":"units","type":"uint24"},{"indexed":false,"internalType":"enum IBalancer.Cause","name":"cause","type":"uint8"}],"name":"Moved","type":"event"},
{"inputs":[],"name":"LEASES","outputs":[{"internalType":"contract ILeaseRegistry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"LEDGER","outputs":[{"internalType":"contract IEnergyLedger","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"PARAMETERS","outputs":[{"internalType":"contract IParameters","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"RELEASE_FEES","outputs":[{"internalType":"contract IReleaseFees","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"SUPPLY","outputs":[{"internalType":"contract ISupply","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"TASKS","outputs":[{"internalType":"contract ITaskRegistry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"TELEMETRY","outputs":[{"internalType":"contract ITelemetry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"}],"name":"coolingUntil","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[{"components":[{"internalType":"uint32","name":"leaseId","type":"uint32"},{"internalType":"uint24","name":"units","type":"uint24"}],"internalType":"struct IBalancer.Move[]","name":"moves","type":"tuple[]"}],"name":"move","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"uint32","name":"nodeId","type":"uint32"}],"name":"shiftOf","outputs":[{"components":[{"internalType":"uint40","name":"until","type":"uint40"},{"internalType":"uint24","name":"outgoing","type":"uint24"}],"internalType":"struct IBalancer.Shift","name":"","type":"tuple"}],"stateMutability":"view","type":"function"}
] as const;
