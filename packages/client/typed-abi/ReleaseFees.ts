// Written by `npm run abi` from the contracts; do not edit.

/** ABI of ReleaseFees, with literal types. @public */
export const releaseFeesAbi = [
{"inputs":[{"internalType":"contract Vault","name":"vault","type":"address"},{"internalType":"contract IParameters","name":"parameters","type":"address"},{"internalType":"contract INodeRegistry","name":"nodes","type":"address"},{"internalType":"contract ISupply","name":"supply","type":"address"},{"internalType":"contract ITaskRegistry","name":"tasks","type":"address"},{"internalType":"contract ILeaseRegistry","name":"leases","type":"address"},{"internalType":"contract ICheckpointRegistry","name":"checkpoints","type":"address"}],"stateMutability":"nonpayable","type":"constructor"},
{"inputs":[{"internalType":"uint32","name":"taskId","type":"uint32"}],"name":"NoFees","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"}],"name":"NotModule","type":"error"},
{"inputs":[{"internalType":"uint32","name":"taskId","type":"uint32"}],"name":"TaskNotEnded","type":"error"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"uint32","name":"leaseId","type":"uint32"},{"indexed":true,"internalType":"uint32","name":"taskId","type":"uint32"},{"indexed":true,"internalType":"address","name":"owner","type":"address"},{"indexed":false,"internalType":"uint256","name":"fee","type":"uint256"}],"name":"ReleaseCharged","type":"event"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"uint32","name":"taskId","type":"uint32"},{"indexed":false,"internalType":"uint256","name":"toDeveloper","type":"uint256"},{"indexed":false,"internalType":"uint256","name":"toPool","type":"uint256"},{"indexed":false,"internalType":"uint256","name":"toOwners","type":"uint256"}],"name":"ReleaseFeesDistributed","type":"event"},
{"inputs":[],"name":"CHECKPOINTS","outputs":[{"internalType":"contract ICheckpointRegistry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"EVIDENCE","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"LEASES","outputs":[{"internalType":"contract ILeaseRegistry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"NODES","outputs":[{"internalType":"contract INodeRegistry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"PARAMETERS","outputs":[{"internalType":"contract IParameters","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"SUPPLY","outputs":[{"internalType":"contract ISupply","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"TASKS","outputs":[{"internalType":"contract ITaskRegistry","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"VAULT","outputs":[{"internalType":"contract Vault","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"}],"name":"charge","outputs":[{"internalType":"bool","name":"","type":"bool"}],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"uint32","name":"taskId","type":"uint32"}],"name":"distribute","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"uint256","name":"units","type":"uint256"}],"name":"feeFor","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"heldCount","outputs":[{"internalType":"uint256","name":"","type":"uint256"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"taskId","type":"uint32"}],"name":"heldOf","outputs":[{"components":[{"internalType":"uint64","name":"roundShare","type":"uint64"},{"internalType":"uint64","name":"taskShare","type":"uint64"},{"internalType":"uint8","name":"owners","type":"uint8"},{"internalType":"uint32","name":"place","type":"uint32"}],"internalType":"struct IReleaseFees.HeldFees","name":"","type":"tuple"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint256","name":"offset","type":"uint256"},{"internalType":"uint256","name":"count","type":"uint256"}],"name":"heldPage","outputs":[{"internalType":"uint32[]","name":"taskIds","type":"uint32[]"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint32","name":"leaseId","type":"uint32"}],"name":"isFree","outputs":[{"internalType":"bool","name":"","type":"bool"}],"stateMutability":"view","type":"function"}
] as const;
