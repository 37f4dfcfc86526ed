// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Halmos runs functions whose names begin with check_.
// solhint-disable func-name-mixedcase

import {Vault} from "../../contracts/core/vault/Vault.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {VerToken} from "../../contracts/token/VerToken.sol";

/// @title Not a wei appears or is lost: what the vault holds is the sum of what it owes
/// @notice From a state in which every kind of debt has any amount, after any one call that a module or a person can make, with any
/// arguments.
contract VaultProof {
    Vault private _vault;
    VerToken private _token;

    uint32 private constant TASK = 1;
    uint32 private constant NODE = 2;

    function setUp() public {
        _token = new VerToken(address(this), 1e27, address(this), 1e27);
        _vault = new Vault(_token);
        address module = address(this);
        _vault.initialise(IVault.Modules(module, module, module, module, module, module, module, module, module));
        _token.approve(address(_vault), type(uint256).max);
    }

    function check_LockEscrow(uint80 start, uint32 taskId, uint128 amount) external {
        _fill(start);
        try _vault.lockEscrow(taskId, address(this), amount) {} catch {}
        _check();
    }

    function check_ReleaseEscrow(uint80 start, uint32 taskId, address to, uint128 amount) external {
        _fill(start);
        try _vault.releaseEscrow(taskId, to, amount) {} catch {}
        _check();
    }

    function check_CollectFee(uint80 start, uint32 taskId, uint128 amount) external {
        _fill(start);
        try _vault.collectFee(taskId, amount) {} catch {}
        _check();
    }

    function check_LockStake(uint80 start, uint32 nodeId, uint128 amount) external {
        _fill(start);
        try _vault.lockStake(nodeId, address(this), amount) {} catch {}
        _check();
    }

    function check_ReleaseStake(uint80 start, uint32 nodeId, address to) external {
        _fill(start);
        try _vault.releaseStake(nodeId, to) {} catch {}
        _check();
    }

    function check_Slash(uint80 start, uint32 nodeId, uint256 amount) external {
        _fill(start);
        try _vault.slash(nodeId, amount) {} catch {}
        _check();
    }

    function check_HoldFee(uint80 start, uint32 nodeId, uint32 taskId, uint256 amount) external {
        _fill(start);
        try _vault.holdFee(nodeId, taskId, amount) {} catch {}
        _check();
    }

    function check_ReleaseFee(uint80 start, uint32 taskId, address to, uint256 amount) external {
        _holdFee(start);
        try _vault.releaseFee(taskId, to, amount) {} catch {}
        _check();
    }

    function check_ForfeitFee(uint80 start, uint32 taskId, uint256 amount) external {
        _holdFee(start);
        try _vault.forfeitFee(taskId, amount) {} catch {}
        _check();
    }

    function check_PayBounty(uint80 start, address to, uint256 amount) external {
        _fill(start);
        try _vault.payBounty(to, amount) {} catch {}
        _check();
    }

    function check_PayVerifier(uint80 start, uint32 nodeId, address to, uint256 ofStake, uint256 ofPool) external {
        _fill(start);
        try _vault.payVerifier(nodeId, to, ofStake, ofPool) {} catch {}
        _check();
    }

    function check_Prepaid(uint80 start, address to, uint128 amount, uint128 passed) external {
        _fill(start);
        try _vault.depositPrepaid(address(this), amount) {} catch {}
        try _vault.passPrepaid(to, passed) {} catch {}
        _check();
    }

    function check_FundBountyPool(uint80 start, uint128 amount) external {
        _fill(start);
        try _vault.fundBountyPool(amount) {} catch {}
        _check();
    }

    /// @notice What somebody sends without a call is nobody's until it is absorbed, and the pool's after.
    function check_AbsorbDonations(uint80 start, uint80 donated) external {
        _fill(start);
        _token.transfer(address(_vault), donated);
        assert(_owed() + donated == _token.balanceOf(address(_vault)));
        try _vault.absorbDonations() {} catch {}
        uint256 owed = _owed();
        assert(owed == _token.balanceOf(address(_vault)) || donated == 0);
    }

    function check_Claim(uint80 start, address receiver) external {
        _fill(start);
        if (receiver == address(_vault)) return;
        uint256 mine = _vault.claimable(address(this));
        uint256 held = _token.balanceOf(address(_vault));
        try _vault.claim(receiver) returns (uint256 paid) {
            assert(paid == mine && _token.balanceOf(address(_vault)) == held - mine);
        } catch {}
        _check();
    }

    /// @dev One amount for every kind of debt.
    function _fill(uint80 start) private {
        _vault.lockEscrow(TASK, address(this), start);
        _vault.lockStake(NODE, address(this), start);
        _vault.fundBountyPool(start);
        _vault.depositPrepaid(address(this), start);
    }

    /// @dev A fee that a node was charged, for a task.
    function _holdFee(uint80 start) private {
        _vault.lockStake(NODE, address(this), start);
        _vault.holdFee(NODE, TASK, start);
    }

    function _check() private view {
        assert(_owed() == _token.balanceOf(address(_vault)));
    }

    function _owed() private view returns (uint256) {
        IVault.Totals memory totals = _vault.totals();
        return uint256(totals.escrow) + totals.stake + totals.claimable + totals.bountyPool;
    }
}
