// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The vault that holds every token of the protocol
/// @notice Four ledgers and one promise: balance = escrow + stake + claimable + bounty pool, to the wei.
/// Who may move what between the ledgers is wired once, at deployment, and cannot be changed by anyone after it.
/// Tokens leave only through {claim}, so that no receiver can block anybody else's payment.
interface IVault {
    /// @notice The modules that may move money between ledgers.
    struct Modules {
        /// The node registry.
        address nodes;
        /// The supply.
        address supply;
        /// The task registry.
        address tasks;
        /// The lease registry.
        address leases;
        /// The round manager.
        address rounds;
        /// The pool outlet.
        address outlet;
        /// The release fees.
        address releaseFees;
        /// The telemetry contract.
        address telemetry;
        /// The audits.
        address audits;
    }

    /// @notice The totals of the ledgers, in wei.
    struct Totals {
        /// Escrows of tasks, and the fees held under them, wei.
        uint256 escrow;
        /// Stakes of nodes, wei.
        uint256 stake;
        /// What accounts can claim, and what owners have prepaid for the posting of reports, wei.
        uint256 claimable;
        /// The bounty pool, wei.
        uint256 bountyPool;
    }

    /// @notice The modules were named.
    /// @param modules The modules.
    event ModulesSet(Modules modules);
    /// @notice Tokens were locked in a task's escrow.
    /// @param taskId Id of the task.
    /// @param from Who paid.
    /// @param amount Amount, wei.
    event EscrowLocked(uint32 indexed taskId, address indexed from, uint256 amount);
    /// @notice Part of a task's escrow was credited to an account.
    /// @param taskId Id of the task.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    event EscrowReleased(uint32 indexed taskId, address indexed to, uint256 amount);
    /// @notice Part of a task's escrow went to the bounty pool.
    /// @param taskId Id of the task.
    /// @param amount Amount, wei.
    event FeeCollected(uint32 indexed taskId, uint256 amount);
    /// @notice Tokens were locked as a node's stake.
    /// @param nodeId Id of the node.
    /// @param from Who paid.
    /// @param amount Amount, wei.
    event StakeLocked(uint32 indexed nodeId, address indexed from, uint256 amount);
    /// @notice A node's stake was credited to an account.
    /// @param nodeId Id of the node.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    event StakeReleased(uint32 indexed nodeId, address indexed to, uint256 amount);
    /// @notice Part of a node's stake went to the bounty pool.
    /// @param nodeId Id of the node.
    /// @param amount Amount, wei.
    event StakeSlashed(uint32 indexed nodeId, uint256 amount);
    /// @notice Part of a node's stake is held under a task as a fee.
    /// @param nodeId Id of the node.
    /// @param taskId Id of the task.
    /// @param amount Wei.
    event FeeHeld(uint32 indexed nodeId, uint32 indexed taskId, uint256 amount);
    /// @notice Stake of a node paid an account at once: its part of what its audit cost.
    /// @param nodeId Id of the node.
    /// @param to Credited account.
    /// @param amount Wei.
    event StakePaid(uint32 indexed nodeId, address indexed to, uint256 amount);
    /// @notice Part of the fees held under a task was credited to an account.
    /// @param taskId Id of the task.
    /// @param to Who is credited.
    /// @param amount Wei.
    event FeeReleased(uint32 indexed taskId, address indexed to, uint256 amount);
    /// @notice Part of the fees held under a task went to the bounty pool.
    /// @param taskId Id of the task.
    /// @param amount Wei.
    event FeeForfeited(uint32 indexed taskId, uint256 amount);
    /// @notice A bounty was credited to an account.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    event BountyPaid(address indexed to, uint256 amount);
    /// @notice The bounty pool held less than a bounty: only `paid` of `amount` wei were paid. Work goes on without;
    /// who keeps the market running does so unpaid until the pool is funded.
    /// @param to Who is credited.
    /// @param amount The bounty, wei.
    /// @param paid What was paid of it, wei.
    event BountyShort(address indexed to, uint256 amount, uint256 paid);
    /// @notice Tokens were added to the bounty pool.
    /// @param from Who paid; the vault itself for tokens that were sent to it.
    /// @param amount Amount, wei.
    event BountyPoolFunded(address indexed from, uint256 amount);
    /// @notice An owner has prepaid for the posting of reports.
    /// @param from Who paid.
    /// @param amount Amount, wei.
    event PrepaidDeposited(address indexed from, uint256 amount);
    /// @notice Part of what owners have prepaid was credited to an account.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    event PrepaidPassed(address indexed to, uint256 amount);
    /// @notice Claimable tokens were sent.
    /// @param account Who claimed.
    /// @param receiver Who gets the tokens.
    /// @param amount Amount, wei.
    event Claimed(address indexed account, address indexed receiver, uint256 amount);

    /// @notice The task's escrow holds less than asked for.
    /// @param taskId Id of the task.
    /// @param available Escrow, wei.
    /// @param needed Asked for, wei.
    error EscrowTooLow(uint32 taskId, uint256 available, uint256 needed);
    /// @notice The fees held under the task are less than asked for.
    /// @param taskId Id of the task.
    /// @param available Held, wei.
    /// @param needed Asked for, wei.
    error FeesTooLow(uint32 taskId, uint256 available, uint256 needed);
    /// @notice Nothing to claim.
    /// @param account Who claimed.
    error NothingToClaim(address account);
    /// @notice The zero address cannot receive.
    error InvalidReceiver();

    /// @notice Names the modules. Deployer only, once.
    /// @dev Warning: who is named may move money for good; nobody can change it later.
    /// @param modules The modules.
    function initialise(Modules calldata modules) external;

    /// @notice Takes `amount` wei from `from` (who has approved the vault) into the task's escrow. Task or lease
    /// registry only.
    /// @param taskId Id of the task.
    /// @param from Who pays.
    /// @param amount Amount, wei.
    function lockEscrow(uint32 taskId, address from, uint256 amount) external;

    /// @notice Moves `amount` of a task's escrow to the claimable balance of `to`. Task or lease registry only.
    /// @param taskId Id of the task.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    function releaseEscrow(uint32 taskId, address to, uint256 amount) external;

    /// @notice Moves `amount` of a task's escrow to the bounty pool. Task or lease registry only.
    /// @param taskId Id of the task.
    /// @param amount Amount, wei.
    function collectFee(uint32 taskId, uint256 amount) external;

    /// @notice Takes `amount` wei from `from` (who has approved the vault) as a node's stake. Node registry only.
    /// @param nodeId Id of the node.
    /// @param from Who pays.
    /// @param amount Amount, wei.
    function lockStake(uint32 nodeId, address from, uint256 amount) external;

    /// @notice Makes a node's whole stake claimable by `to`. Node registry only.
    /// @param nodeId Id of the node.
    /// @param to Who is credited.
    /// @return amount Wei released.
    function releaseStake(uint32 nodeId, address to) external returns (uint256 amount);

    /// @notice Moves up to `amount` of a node's stake to the bounty pool: what is not there is not taken, and it never
    /// reverts. Supply only.
    /// @dev Warning: takes less than asked for where the stake is lower, and does not revert: look at what it returns.
    /// @param nodeId Id of the node.
    /// @param amount Maximum to be taken, wei.
    /// @return taken Wei taken.
    function slash(uint32 nodeId, uint256 amount) external returns (uint256 taken);

    /// @notice Holds up to `amount` of a node's stake under a task, as a fee whose receiver is not known yet: what is
    /// not there is not taken, and it never reverts. Release fees and audits only.
    /// @param nodeId Id of the node.
    /// @param taskId Id of the task.
    /// @param amount Maximum to be held, wei.
    /// @return taken Wei taken.
    function holdFee(uint32 nodeId, uint32 taskId, uint256 amount) external returns (uint256 taken);

    /// @notice Moves `amount` of the fees held under a task to the claimable balance of `to`. Release fees and audits only.
    /// @param taskId Id of the task.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    function releaseFee(uint32 taskId, address to, uint256 amount) external;

    /// @notice Moves `amount` of the fees held under a task to the bounty pool. Release fees and audits only.
    /// @param taskId Id of the task.
    /// @param amount Amount, wei.
    function forfeitFee(uint32 taskId, uint256 amount) external;

    /// @notice Pays up to `amount` from the bounty pool to `to`'s claimable balance: an empty pool pays nothing and
    /// never reverts. Round manager, lease registry and audits only.
    /// @dev Warning: pays less than asked for where the pool holds less, and does not revert: look at what it returns.
    /// @param to Who is credited.
    /// @param amount The bounty, wei.
    /// @return paid Wei paid.
    function payBounty(address to, uint256 amount) external returns (uint256 paid);

    /// @notice Pays the verifier of an audit: from the stake of the node whose work was audited, and from the bounty pool, each as far as
    /// it reaches. Audits only.
    /// @param nodeId Id of the node whose work was audited.
    /// @param to Credited account.
    /// @param ofStake What the node pays, wei.
    /// @param ofPool What the pool pays, wei.
    /// @return taken What its stake paid, wei.
    /// @return paid What the pool paid, wei.
    function payVerifier(
        uint32 nodeId,
        address to,
        uint256 ofStake,
        uint256 ofPool
    ) external returns (uint256 taken, uint256 paid);

    /// @notice Takes `amount` wei from `from` (who has approved the vault) for the posting of reports. Telemetry only.
    /// @param from Who pays.
    /// @param amount Amount, wei.
    function depositPrepaid(address from, uint256 amount) external;

    /// @notice Moves `amount` of what was prepaid for the posting of reports to `to`'s claimable balance. Telemetry only.
    /// @param to Who is credited.
    /// @param amount Amount, wei.
    function passPrepaid(address to, uint256 amount) external;

    /// @notice Adds to the bounty pool from the caller, who has approved the vault.
    /// @param amount Amount, wei.
    function fundBountyPool(uint256 amount) external;

    /// @notice Adds tokens that were sent here by a plain transfer to the bounty pool. Open to anyone.
    function absorbDonations() external returns (uint256 amount);

    /// @notice Sends all that the caller can claim to `receiver`.
    /// @dev Warning: sends all of it; a receiver that cannot move the tokens keeps them for good.
    /// @param receiver Who gets the tokens.
    /// @return amount Wei sent.
    function claim(address receiver) external returns (uint256 amount);

    /// @notice What `account` can claim, in wei.
    /// @param account Whose balance.
    function claimable(address account) external view returns (uint256);

    /// @notice A task's escrow, in wei.
    /// @param taskId Id of the task.
    function escrowOf(uint32 taskId) external view returns (uint256);

    /// @notice Fees held under a task, wei; not part of its escrow.
    /// @param taskId Id of the task.
    function feesOf(uint32 taskId) external view returns (uint256);

    /// @notice A node's stake, in wei.
    /// @param nodeId Id of the node.
    function stakeOf(uint32 nodeId) external view returns (uint256);

    /// @notice The totals of the four ledgers.
    function totals() external view returns (Totals memory);
}
