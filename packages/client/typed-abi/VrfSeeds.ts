// Written by `npm run abi` from the contracts; do not edit.

/** ABI of VrfSeeds, with literal types. @public */
export const vrfSeedsAbi = [
{"inputs":[{"internalType":"address","name":"coordinator","type":"address"},{"components":[{"internalType":"bytes32","name":"keyHash","type":"bytes32"},{"internalType":"uint256","name":"subscriptionId","type":"uint256"},{"internalType":"uint32","name":"callbackGasLimit","type":"uint32"},{"internalType":"uint16","name":"confirmations","type":"uint16"},{"internalType":"bool","name":"nativePayment","type":"bool"}],"internalType":"struct IVrfSeeds.Config","name":"config_","type":"tuple"}],"stateMutability":"nonpayable","type":"constructor"},
{"inputs":[],"name":"AlreadyInitialised","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"}],"name":"NotDeployer","type":"error"},
{"inputs":[{"internalType":"address","name":"caller","type":"address"}],"name":"NotModule","type":"error"},
{"inputs":[{"internalType":"address","name":"have","type":"address"},{"internalType":"address","name":"want","type":"address"}],"name":"OnlyCoordinatorCanFulfill","type":"error"},
{"inputs":[{"internalType":"address","name":"have","type":"address"},{"internalType":"address","name":"owner","type":"address"},{"internalType":"address","name":"coordinator","type":"address"}],"name":"OnlyOwnerOrCoordinator","type":"error"},
{"inputs":[],"name":"ZeroAddress","type":"error"},
{"anonymous":false,"inputs":[{"components":[{"internalType":"bytes32","name":"keyHash","type":"bytes32"},{"internalType":"uint256","name":"subscriptionId","type":"uint256"},{"internalType":"uint32","name":"callbackGasLimit","type":"uint32"},{"internalType":"uint16","name":"confirmations","type":"uint16"},{"internalType":"bool","name":"nativePayment","type":"bool"}],"indexed":false,"internalType":"struct IVrfSeeds.Config","name":"config","type":"tuple"}],"name":"ConfigSet","type":"event"},
{"anonymous":false,"inputs":[{"indexed":false,"internalType":"address","name":"vrfCoordinator","type":"address"}],"name":"CoordinatorSet","type":"event"},
{"anonymous":false,"inputs":[{"indexed":false,"internalType":"address","name":"rounds","type":"address"},{"indexed":false,"internalType":"address","name":"reassignment","type":"address"},{"indexed":false,"internalType":"address","name":"audits","type":"address"}],"name":"ModulesSet","type":"event"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"address","name":"from","type":"address"},{"indexed":true,"internalType":"address","name":"to","type":"address"}],"name":"OwnershipTransferRequested","type":"event"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"address","name":"from","type":"address"},{"indexed":true,"internalType":"address","name":"to","type":"address"}],"name":"OwnershipTransferred","type":"event"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"uint256","name":"requestId","type":"uint256"}],"name":"SeedRequested","type":"event"},
{"anonymous":false,"inputs":[{"indexed":true,"internalType":"uint256","name":"requestId","type":"uint256"},{"indexed":false,"internalType":"bytes32","name":"seed","type":"bytes32"}],"name":"SeedStored","type":"event"},
{"inputs":[],"name":"acceptOwnership","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[],"name":"config","outputs":[{"components":[{"internalType":"bytes32","name":"keyHash","type":"bytes32"},{"internalType":"uint256","name":"subscriptionId","type":"uint256"},{"internalType":"uint32","name":"callbackGasLimit","type":"uint32"},{"internalType":"uint16","name":"confirmations","type":"uint16"},{"internalType":"bool","name":"nativePayment","type":"bool"}],"internalType":"struct IVrfSeeds.Config","name":"","type":"tuple"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"address","name":"rounds","type":"address"},{"internalType":"address","name":"reassignment","type":"address"},{"internalType":"address","name":"audits","type":"address"}],"name":"initialise","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[],"name":"isInitialised","outputs":[{"internalType":"bool","name":"","type":"bool"}],"stateMutability":"view","type":"function"},
{"inputs":[],"name":"owner","outputs":[{"internalType":"address","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint256","name":"requestId","type":"uint256"},{"internalType":"uint256[]","name":"randomWords","type":"uint256[]"}],"name":"rawFulfillRandomWords","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[],"name":"request","outputs":[{"internalType":"uint256","name":"requestId","type":"uint256"}],"stateMutability":"nonpayable","type":"function"},
{"inputs":[],"name":"s_vrfCoordinator","outputs":[{"internalType":"contract IVRFCoordinatorV2Plus","name":"","type":"address"}],"stateMutability":"view","type":"function"},
{"inputs":[{"internalType":"uint256","name":"requestId","type":"uint256"}],"name":"seedOf","outputs":[{"internalType":"bytes32","name":"","type":"bytes32"}],"stateMutability":"view","type":"function"},
{"inputs":[{"components":[{"internalType":"bytes32","name":"keyHash","type":"bytes32"},{"internalType":"uint256","name":"subscriptionId","type":"uint256"},{"internalType":"uint32","name":"callbackGasLimit","type":"uint32"},{"internalType":"uint16","name":"confirmations","type":"uint16"},{"internalType":"bool","name":"nativePayment","type":"bool"}],"internalType":"struct IVrfSeeds.Config","name":"config_","type":"tuple"}],"name":"setConfig","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"address","name":"_vrfCoordinator","type":"address"}],"name":"setCoordinator","outputs":[],"stateMutability":"nonpayable","type":"function"},
{"inputs":[{"internalType":"address","name":"to","type":"address"}],"name":"transferOwnership","outputs":[],"stateMutability":"nonpayable","type":"function"}
] as const;
