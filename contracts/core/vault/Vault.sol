// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {OneTimeInitialiser} from "../../libraries/OneTimeInitialiser.sol";
import {NotModule} from "../../types/Errors.sol";
import {IVault} from "../../interfaces/IVault.sol";

/// @title The vault that holds every token of the protocol
/// @notice See {IVault}.
contract Vault is IVault, OneTimeInitialiser {
    using SafeERC20 for IERC20;

    /// @notice $VER.
    IERC20 public immutable TOKEN;

    Modules private _modules;

    // Two totals to a slot: VER's cap of 10^27 wei is below 2^90, so 128 bits never overflow.
    uint128 private _totalEscrow;
    uint128 private _totalStake;
    uint128 private _totalClaimable;
    uint128 private _bountyPool;

    mapping(uint32 taskId => uint256 wei_) private _escrow;
    mapping(uint32 nodeId => uint256 wei_) private _stake;
    mapping(uint32 taskId => uint256 wei_) private _fees;
    mapping(address account => uint256 wei_) private _claimable;

    constructor(IERC20 token) {
        TOKEN = token;
    }

    /// @inheritdoc IVault
    function initialise(Modules calldata modules) external initialiser {
        _modules = modules;
        emit ModulesSet(modules);
    }

    /// @inheritdoc IVault
    function lockEscrow(uint32 taskId, address from, uint256 amount) external {
        require(msg.sender == _modules.tasks || msg.sender == _modules.leases, NotModule(msg.sender));
        _escrow[taskId] += amount;
        _totalEscrow += uint128(amount);
        emit EscrowLocked(taskId, from, amount);
        TOKEN.safeTransferFrom(from, address(this), amount);
    }

    /// @inheritdoc IVault
    function releaseEscrow(uint32 taskId, address to, uint256 amount) external {
        require(msg.sender == _modules.tasks || msg.sender == _modules.leases, NotModule(msg.sender));
        _takeEscrow(taskId, amount);
        _credit(to, amount);
        emit EscrowReleased(taskId, to, amount);
    }

    /// @inheritdoc IVault
    function collectFee(uint32 taskId, uint256 amount) external {
        require(msg.sender == _modules.tasks || msg.sender == _modules.leases, NotModule(msg.sender));
        _takeEscrow(taskId, amount);
        _bountyPool += uint128(amount);
        emit FeeCollected(taskId, amount);
    }

    /// @inheritdoc IVault
    function lockStake(uint32 nodeId, address from, uint256 amount) external {
        require(msg.sender == _modules.nodes, NotModule(msg.sender));
        _stake[nodeId] += amount;
        _totalStake += uint128(amount);
        emit StakeLocked(nodeId, from, amount);
        TOKEN.safeTransferFrom(from, address(this), amount);
    }

    /// @inheritdoc IVault
    function releaseStake(uint32 nodeId, address to) external returns (uint256 amount) {
        require(msg.sender == _modules.nodes, NotModule(msg.sender));
        amount = _stake[nodeId];
        _stake[nodeId] = 0;
        _totalStake -= uint128(amount);
        _credit(to, amount);
        emit StakeReleased(nodeId, to, amount);
    }

    /// @inheritdoc IVault
    function slash(uint32 nodeId, uint256 amount) external returns (uint256 taken) {
        require(msg.sender == _modules.supply, NotModule(msg.sender));
        taken = _takeStake(nodeId, amount);
        _bountyPool += uint128(taken);
        emit StakeSlashed(nodeId, taken);
    }

    /// @inheritdoc IVault
    function holdFee(uint32 nodeId, uint32 taskId, uint256 amount) external returns (uint256 taken) {
        _requireHolder();
        taken = _takeStake(nodeId, amount);
        _fees[taskId] += taken;
        _totalEscrow += uint128(taken);
        emit FeeHeld(nodeId, taskId, taken);
    }

    /// @inheritdoc IVault
    function releaseFee(uint32 taskId, address to, uint256 amount) external {
        _takeFee(taskId, amount);
        _credit(to, amount);
        emit FeeReleased(taskId, to, amount);
    }

    /// @inheritdoc IVault
    function forfeitFee(uint32 taskId, uint256 amount) external {
        _takeFee(taskId, amount);
        _bountyPool += uint128(amount);
        emit FeeForfeited(taskId, amount);
    }

    /// @inheritdoc IVault
    function payBounty(address to, uint256 amount) external returns (uint256 paid) {
        require(
            msg.sender == _modules.rounds ||
                msg.sender == _modules.leases ||
                msg.sender == _modules.outlet ||
                msg.sender == _modules.audits,
            NotModule(msg.sender)
        );
        paid = _takeBounty(to, amount);
        if (paid != 0) _credit(to, paid);
    }

    /// @inheritdoc IVault
    function payVerifier(
        uint32 nodeId,
        address to,
        uint256 ofStake,
        uint256 ofPool
    ) external returns (uint256 taken, uint256 paid) {
        require(msg.sender == _modules.audits, NotModule(msg.sender));
        if (ofStake != 0) {
            taken = _takeStake(nodeId, ofStake);
            emit StakePaid(nodeId, to, taken);
        }
        paid = _takeBounty(to, ofPool);
        if (taken + paid != 0) _credit(to, taken + paid);
    }

    /// @inheritdoc IVault
    function depositPrepaid(address from, uint256 amount) external {
        require(msg.sender == _modules.telemetry, NotModule(msg.sender));
        // Kept as what telemetry could claim: it never does.
        _credit(msg.sender, amount);
        emit PrepaidDeposited(from, amount);
        TOKEN.safeTransferFrom(from, address(this), amount);
    }

    /// @inheritdoc IVault
    function passPrepaid(address to, uint256 amount) external {
        require(msg.sender == _modules.telemetry, NotModule(msg.sender));
        _claimable[msg.sender] -= amount;
        _claimable[to] += amount;
        emit PrepaidPassed(to, amount);
    }

    /// @inheritdoc IVault
    function fundBountyPool(uint256 amount) external {
        _bountyPool += uint128(amount);
        emit BountyPoolFunded(msg.sender, amount);
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IVault
    function absorbDonations() external returns (uint256 amount) {
        uint256 booked = uint256(_totalEscrow) + _totalStake + _totalClaimable + _bountyPool;
        amount = TOKEN.balanceOf(address(this)) - booked;
        _bountyPool += uint128(amount);
        emit BountyPoolFunded(address(this), amount);
    }

    /// @inheritdoc IVault
    function claim(address receiver) external returns (uint256 amount) {
        require(receiver != address(0), InvalidReceiver());
        amount = _claimable[msg.sender];
        require(amount > 0, NothingToClaim(msg.sender));
        _claimable[msg.sender] = 0;
        _totalClaimable -= uint128(amount);
        emit Claimed(msg.sender, receiver, amount);
        TOKEN.safeTransfer(receiver, amount);
    }

    /// @inheritdoc IVault
    function claimable(address account) external view returns (uint256) {
        return _claimable[account];
    }

    /// @inheritdoc IVault
    function escrowOf(uint32 taskId) external view returns (uint256) {
        return _escrow[taskId];
    }

    /// @inheritdoc IVault
    function feesOf(uint32 taskId) external view returns (uint256) {
        return _fees[taskId];
    }

    /// @inheritdoc IVault
    function stakeOf(uint32 nodeId) external view returns (uint256) {
        return _stake[nodeId];
    }

    /// @inheritdoc IVault
    function totals() external view returns (Totals memory) {
        return Totals(_totalEscrow, _totalStake, _totalClaimable, _bountyPool);
    }

    function _takeEscrow(uint32 taskId, uint256 amount) private {
        uint256 available = _escrow[taskId];
        require(available >= amount, EscrowTooLow(taskId, available, amount));
        _escrow[taskId] = available - amount;
        _totalEscrow -= uint128(amount);
    }

    function _takeStake(uint32 nodeId, uint256 amount) private returns (uint256 taken) {
        uint256 stake = _stake[nodeId];
        taken = Math.min(stake, amount);
        _stake[nodeId] = stake - taken;
        _totalStake -= uint128(taken);
    }

    /// @dev What the pool pays of an amount, all if it has as much; the receiver is not credited yet.
    function _takeBounty(address to, uint256 amount) private returns (uint256 paid) {
        uint256 pool = _bountyPool;
        paid = Math.min(pool, amount);
        if (paid != amount) emit BountyShort(to, amount, paid);
        if (paid == 0) return 0;
        _bountyPool = uint128(pool - paid);
        emit BountyPaid(to, paid);
    }

    /// @dev Release fees are held until their task has ended; what audits hold, they pass on at once.
    function _requireHolder() private view {
        require(msg.sender == _modules.releaseFees || msg.sender == _modules.audits, NotModule(msg.sender));
    }

    function _takeFee(uint32 taskId, uint256 amount) private {
        _requireHolder();
        uint256 available = _fees[taskId];
        require(available >= amount, FeesTooLow(taskId, available, amount));
        _fees[taskId] = available - amount;
        _totalEscrow -= uint128(amount);
    }

    function _credit(address to, uint256 amount) private {
        _claimable[to] += amount;
        _totalClaimable += uint128(amount);
    }
}
