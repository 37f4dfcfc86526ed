// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The vault that holds every token of the protocol
/// @notice Four ledgers and one promise: balance = escrow + stake + claimable + bounty pool, to the wei.
/// Who may move what between the ledgers is wired once, at deployment, and cannot be changed by anyone after it.
/// Tokens leave only through {claim}, so that no receiver can block anybody else's payment.
interface IVault {
    /// @notice The modules that may move money between ledgers.
    struct Modules {
        address nodes;
        address supply;
        address tasks;
        address leases;
        address rounds;
        address outlet;
        address releaseFees;
    }

    /// @notice The totals of the ledgers, in wei.
    struct Totals {
        /// Of tasks, and the fees held under them.
        uint256 escrow;
        uint256 stake;
        uint256 claimable;
        uint256 bountyPool;
    }

    event ModulesSet(Modules modules);
    event EscrowLocked(uint32 indexed taskId, address indexed from, uint256 amount);
    event EscrowReleased(uint32 indexed taskId, address indexed to, uint256 amount);
    event FeeCollected(uint32 indexed taskId, uint256 amount);
    event StakeLocked(uint32 indexed nodeId, address indexed from, uint256 amount);
    event StakeReleased(uint32 indexed nodeId, address indexed to, uint256 amount);
    event StakeSlashed(uint32 indexed nodeId, uint256 amount);
    /// @notice Part of a node's stake is held under a task as a fee.
    /// @param amount Wei.
    event FeeHeld(uint32 indexed nodeId, uint32 indexed taskId, uint256 amount);
    /// @notice Part of the fees held under a task was credited to an account.
    /// @param amount Wei.
    event FeeReleased(uint32 indexed taskId, address indexed to, uint256 amount);
    /// @notice Part of the fees held under a task went to the bounty pool.
    /// @param amount Wei.
    event FeeForfeited(uint32 indexed taskId, uint256 amount);
    event BountyPaid(address indexed to, uint256 amount);
    /// @notice The bounty pool held less than a bounty: only `paid` of `amount` wei were paid. Work goes on without; whoever
    /// keeps the market running does so unpaid until the pool is funded.
    event BountyShort(address indexed to, uint256 amount, uint256 paid);
    event BountyPoolFunded(address indexed from, uint256 amount);
    event Claimed(address indexed account, address indexed receiver, uint256 amount);

    /// @notice The caller is not the module that may do this.
    error NotModule(address caller);
    /// @notice The task's escrow holds less than asked for.
    error EscrowTooLow(uint32 taskId, uint256 available, uint256 needed);
    /// @notice The fees held under the task are less than asked for.
    /// @param available Held, wei.
    /// @param needed Asked for, wei.
    error FeesTooLow(uint32 taskId, uint256 available, uint256 needed);
    /// @notice Nothing to claim.
    error NothingToClaim(address account);
    /// @notice The zero address cannot receive.
    error InvalidReceiver();

    /// @notice Names the modules. Deployer only, once.
    function initialise(Modules calldata modules) external;

    /// @notice Takes `amount` wei from `from` (who has approved the vault) into the task's escrow. Task or lease registry only.
    function lockEscrow(uint32 taskId, address from, uint256 amount) external;

    /// @notice Moves `amount` of a task's escrow to the claimable balance of `to`. Task or lease registry only.
    function releaseEscrow(uint32 taskId, address to, uint256 amount) external;

    /// @notice Moves `amount` of a task's escrow to the bounty pool. Task or lease registry only.
    function collectFee(uint32 taskId, uint256 amount) external;

    /// @notice Takes `amount` wei from `from` (who has approved the vault) as a node's stake. Node registry only.
    function lockStake(uint32 nodeId, address from, uint256 amount) external;

    /// @notice Makes a node's whole stake claimable by `to`. Node registry only.
    /// @return amount Wei released.
    function releaseStake(uint32 nodeId, address to) external returns (uint256 amount);

    /// @notice Moves up to `amount` of a node's stake to the bounty pool: what is not there is not taken, and it never reverts. Supply only.
    /// @return taken Wei taken.
    function slash(uint32 nodeId, uint256 amount) external returns (uint256 taken);

    /// @notice Holds up to `amount` of a node's stake under a task, as a fee whose receiver is not known yet: what is not there is not taken, and it
    /// never reverts. Release fees only.
    /// @return taken Wei taken.
    function holdFee(uint32 nodeId, uint32 taskId, uint256 amount) external returns (uint256 taken);

    /// @notice Moves `amount` of the fees held under a task to the claimable balance of `to`. Release fees only.
    function releaseFee(uint32 taskId, address to, uint256 amount) external;

    /// @notice Moves `amount` of the fees held under a task to the bounty pool. Release fees only.
    function forfeitFee(uint32 taskId, uint256 amount) external;

    /// @notice Pays up to `amount` from the bounty pool to `to`'s claimable balance: an empty pool pays nothing and never reverts. Round manager and lease registry only.
    /// @return paid Wei paid.
    function payBounty(address to, uint256 amount) external returns (uint256 paid);

    /// @notice Adds to the bounty pool from the caller, who has approved the vault.
    function fundBountyPool(uint256 amount) external;

    /// @notice Adds tokens that were sent here by a plain transfer to the bounty pool. Open to anyone.
    function absorbDonations() external returns (uint256 amount);

    /// @notice Sends all that the caller can claim to `receiver`.
    function claim(address receiver) external returns (uint256 amount);

    /// @notice What `account` can claim, in wei.
    function claimable(address account) external view returns (uint256);

    /// @notice A task's escrow, in wei.
    function escrowOf(uint32 taskId) external view returns (uint256);

    /// @notice Fees held under a task, wei; not part of its escrow.
    function feesOf(uint32 taskId) external view returns (uint256);

    /// @notice A node's stake, in wei.
    function stakeOf(uint32 nodeId) external view returns (uint256);

    /// @notice The totals of the four ledgers.
    function totals() external view returns (Totals memory);
}
