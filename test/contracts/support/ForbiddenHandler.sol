// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {CODEC_DAG_PB} from "../../../contracts/types/Units.sol";
import {ICheckpointRegistry} from "../../../contracts/interfaces/ICheckpointRegistry.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {IReassignment} from "../../../contracts/interfaces/IReassignment.sol";
import {IRoundManager} from "../../../contracts/interfaces/IRoundManager.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {SystemHandler} from "./SystemHandler.sol";

/// @title What nobody may do, tried at random
/// @notice Each action here is forbidden in the state that it finds: it must revert, with a reason and not by a panic.
abstract contract ForbiddenHandler is SystemHandler {
    address private immutable STRANGER = makeAddr("stranger");

    /// @dev What {look} saw last.
    uint256 private _seen;
    mapping(uint32 leaseId => bytes32) private _terms;
    mapping(uint32 leaseId => bool) private _over;
    mapping(uint32 leaseId => uint40) private _progress;
    mapping(uint32 taskId => uint32) private _paid;

    /// @notice What only grows has not shrunk since the last look: counts, headway, units paid; and what is over stays over.
    function look() external {
        uint256 counts = uint256(nodes.nodeCount()) + tasks.taskCount() + leases.leaseCount() + rounds.current().id;
        counts += reassignment.current().id;
        require(counts >= _seen, "a count shrank");
        _seen = counts;
        for (uint32 id = 1; id <= leases.leaseCount(); ++id) {
            ILeaseRegistry.Lease memory held = leases.lease(id);
            bytes32 terms = keccak256(abi.encode(held.taskId, held.nodeId, held.start, held.fence, held.priceMicroVer));
            require(_terms[id] == 0 || _terms[id] == terms, "the terms of a lease changed");
            _terms[id] = terms;
            bool over =
                held.status >= ILeaseRegistry.LeaseStatus.Paid && held.status != ILeaseRegistry.LeaseStatus.Moving;
            require(over || !_over[id], "a lease that was over lives");
            _over[id] = over;
            uint40 progress = checkpoints.newestOfMany(ids32(id))[0].progress;
            require(progress >= _progress[id], "headway went back");
            _progress[id] = progress;
        }
        for (uint32 id = 1; id <= tasks.taskCount(); ++id) {
            uint32 paid = tasks.task(id).paidUnits;
            require(paid >= _paid[id], "units that were paid are not");
            _paid[id] = paid;
        }
    }

    /// @notice Somebody else's lease, or another fence than its own.
    function forbiddenLease(uint8 pick, uint8 what, bool fenced) external {
        uint32 count = leases.leaseCount();
        if (count == 0) return;
        uint32 id = uint32(1 + (pick % count));
        ILeaseRegistry.Lease memory held = leases.lease(id);
        address by = fenced ? operatorOfLease(id) : STRANGER;
        uint24 fence = held.fence;
        if (fenced) fence = fence == 0 || pick % 2 == 0 ? fence + 1 : fence - 1;
        if (what % 3 == 0) {
            _refused(by, address(leases), abi.encodeCall(leases.deliver, (id, fence, RESULT, CODEC_DAG_PB, 1)));
        } else if (what % 3 == 1) {
            bytes memory data = abi.encodeCall(leases.release, (id, fence, ILeaseRegistry.EndReason.GivenBack));
            _refused(by, address(leases), data);
        } else {
            _refused(by, address(checkpoints), _post(id, fence, 1 + checkpoints.newestOfMany(ids32(id))[0].progress));
        }
    }

    /// @notice A lease in another state than the action is for, or before its time.
    function forbiddenLeaseState(uint8 pick, uint8 what) external {
        uint32 count = leases.leaseCount();
        if (count == 0) return;
        uint32 id = uint32(1 + (pick % count));
        ILeaseRegistry.Lease memory held = leases.lease(id);
        address operator = operatorOfLease(id);
        (address developer, , , uint40 deadline) = tasks.termsOf(held.taskId);
        bool running =
            held.status == ILeaseRegistry.LeaseStatus.Active || held.status == ILeaseRegistry.LeaseStatus.Moving;
        what %= 8;
        if (what == 0 && (!running || block.timestamp > deadline)) {
            bytes memory data = abi.encodeCall(leases.deliver, (id, held.fence, RESULT, CODEC_DAG_PB, 1));
            _refused(operator, address(leases), data);
        } else if (what == 1 && !running) {
            bytes memory data = abi.encodeCall(leases.release, (id, held.fence, ILeaseRegistry.EndReason.GivenBack));
            _refused(operator, address(leases), data);
        } else if (what == 2 && !running) {
            _refused(operator, address(checkpoints), _post(id, held.fence, 20_000));
        } else if (what == 3 && _mayNotExpire(held, deadline)) {
            _refused(keeper, address(leases), abi.encodeCall(leases.expire, (id)));
            _refused(keeper, address(leases), abi.encodeCall(leases.expireOverdue, (ids32(id))));
        } else if (what == 4 && _mayNotAccept(held)) {
            _refused(keeper, address(leases), abi.encodeCall(leases.accept, (ids32(id))));
        } else if (what == 5) {
            bytes memory data = abi.encodeCall(leases.dispute, (id));
            bool late = held.status != ILeaseRegistry.LeaseStatus.Delivered || block.timestamp > held.due;
            _refused(late ? developer : STRANGER, address(leases), data);
        } else if (what == 6) {
            bytes memory data = abi.encodeCall(leases.rule, (id, pick % 2 == 0));
            _refused(held.status == ILeaseRegistry.LeaseStatus.Disputed ? STRANGER : arbiter, address(leases), data);
        } else if (what == 7 && (held.status != ILeaseRegistry.LeaseStatus.Moving || block.timestamp <= held.due)) {
            _refused(keeper, address(leases), abi.encodeCall(leases.handOver, (id)));
        }
    }

    /// @notice Headway that goes back, or beyond the end.
    function forbiddenProgress(uint8 pick, bool back) external {
        uint32 id = _pickLease(pick, ILeaseRegistry.LeaseStatus.Active);
        if (id == 0) return;
        uint40 progress = checkpoints.newestOfMany(ids32(id))[0].progress;
        if (back && progress == 0) return;
        uint40 claimed = back ? progress - 1 : 10_000 * uint40(leases.lease(id).count) + 1;
        _refused(operatorOfLease(id), address(checkpoints), _post(id, leases.lease(id).fence, claimed));
    }

    /// @notice Somebody else's node, or leaving while others build on it.
    function forbiddenNode(uint8 pick, uint8 what) external {
        INodeRegistry.NodeView memory n = _pickNode(pick);
        if (n.id == 0) return;
        what %= 8;
        if (what == 0) {
            ISupply.Terms memory terms = termsOf(n.classId, n.capacity, 1);
            _refused(STRANGER, address(nodes), abi.encodeCall(nodes.setTerms, (n.id, terms)));
        } else if (what == 1) {
            _refused(STRANGER, address(nodes), abi.encodeCall(nodes.drain, (n.id)));
        } else if (what == 2) {
            _refused(STRANGER, address(nodes), abi.encodeCall(nodes.resume, (n.id)));
        } else if (what == 3) {
            bool may = n.status == ISupply.NodeStatus.Draining && n.leased == 0 && n.listedUnits == 0;
            _refused(may ? STRANGER : n.owner, address(nodes), abi.encodeCall(nodes.exit, (n.id)));
        } else if (what == 4) {
            bool may = n.status == ISupply.NodeStatus.Unbonding && block.timestamp >= n.withdrawableAt;
            _refused(may ? STRANGER : n.owner, address(nodes), abi.encodeCall(nodes.withdraw, (n.id)));
        } else if (what == 5) {
            // More than its stake covers.
            if (n.status != ISupply.NodeStatus.Active) return;
            uint32 most = uint32(n.stake / stakeFor(1));
            if (most < n.capacity) most = n.capacity;
            ISupply.Terms memory terms = termsOf(n.classId, most + 1, 1);
            _refused(n.owner, address(nodes), abi.encodeCall(nodes.setTerms, (n.id, terms)));
        } else if (what == 6) {
            _refused(STRANGER, address(nodes), abi.encodeCall(nodes.setProfile, (n.id, profile())));
        } else {
            _refused(STRANGER, address(nodes), abi.encodeCall(nodes.expel, (n.id)));
        }
    }

    /// @notice Somebody else's task, or one whose time has not come.
    function forbiddenTask(uint8 pick, uint8 what) external {
        uint32 count = tasks.taskCount();
        if (count == 0) return;
        ITaskRegistry.TaskView memory t = tasks.task(uint32(1 + (pick % count)));
        bool over = t.status != ITaskRegistry.TaskStatus.Open;
        what %= 5;
        if (what == 0) {
            _refused(over ? t.owner : STRANGER, address(tasks), abi.encodeCall(tasks.cancel, (t.id)));
        } else if (what == 1 && (over || block.timestamp <= t.deadline)) {
            _refused(keeper, address(tasks), abi.encodeCall(tasks.close, (t.id)));
        } else if (what == 2) {
            _refused(STRANGER, address(tasks), abi.encodeCall(tasks.raisePrice, (t.id, t.maxPrice + MICRO)));
        } else if (what == 3) {
            _refused(t.owner, address(tasks), abi.encodeCall(tasks.raisePrice, (t.id, t.maxPrice)));
        } else if (what == 4 && !t.parked) {
            // Enqueues nothing that is not parked.
            vm.prank(keeper);
            (bool ok, bytes memory answer) = address(tasks).call(abi.encodeCall(tasks.enqueue, (ids32(t.id))));
            require(!ok || abi.decode(answer, (uint256)) == 0, "enqueued what was not parked");
        }
    }

    /// @notice A round or a batch out of turn, or settled otherwise than the certificate allows.
    function forbiddenRound(uint8 pick, uint8 what) external {
        IRoundManager.RoundView memory r = rounds.current();
        bool open = r.status == IRoundManager.RoundStatus.Seeding || r.status == IRoundManager.RoundStatus.Settling;
        IReassignment.BatchStatus batch = reassignment.current().status;
        bool drawing = batch == IReassignment.BatchStatus.Seeding || batch == IReassignment.BatchStatus.Drawing;
        what %= 6;
        if (what == 0 && (open || drawing)) {
            _refused(keeper, address(rounds), abi.encodeCall(rounds.open, ()));
            // Without orphans there is nothing to open, and nobody is told so by a failure.
            (bool ok, bytes memory answer) = address(reassignment).call(abi.encodeCall(reassignment.open, ()));
            require(!ok || abi.decode(answer, (uint256)) == 0, "a batch beside a round or a batch");
        } else if (what == 1 && !open) {
            _refused(keeper, address(rounds), abi.encodeCall(rounds.abort, ()));
        } else if (what == 2 && !drawing) {
            _refused(keeper, address(reassignment), abi.encodeCall(reassignment.abort, ()));
        } else if (what == 3 && batch != IReassignment.BatchStatus.Drawing) {
            _refused(keeper, address(reassignment), abi.encodeCall(reassignment.draw, (1)));
        } else if (what == 4 && r.status != IRoundManager.RoundStatus.Settling) {
            _refused(keeper, address(rounds), abi.encodeCall(rounds.settle, (r.id, hex"00")));
        } else if (what == 5 && r.status == IRoundManager.RoundStatus.Settling) {
            // A post that ends too early, or too late.
            bytes memory post = optimalPost();
            if (pick % 2 == 0) post = bytes.concat(post, bytes1(pick));
            else if (post.length != 0) post = _without(post);
            vm.prank(keeper);
            (bool ok, ) = address(rounds).call(abi.encodeCall(rounds.settle, (r.id, post)));
            require(!ok, "settled by another post");
        }
    }

    /// @notice What modules alone may call, governance alone may set, and the oracle alone may say.
    function forbiddenModule(uint8 what, uint8 pick) external {
        uint32 id = pick;
        what %= 21;
        if (what == 0) _refusedTo(address(vault), abi.encodeCall(vault.lockEscrow, (id, alice, 1)));
        else if (what == 1) _refusedTo(address(vault), abi.encodeCall(vault.releaseEscrow, (id, STRANGER, 1)));
        else if (what == 2) _refusedTo(address(vault), abi.encodeCall(vault.collectFee, (id, 1)));
        else if (what == 3) _refusedTo(address(vault), abi.encodeCall(vault.lockStake, (id, alice, 1)));
        else if (what == 4) _refusedTo(address(vault), abi.encodeCall(vault.releaseStake, (id, STRANGER)));
        else if (what == 5) _refusedTo(address(vault), abi.encodeCall(vault.slash, (id, 1)));
        else if (what == 6) _refusedTo(address(vault), abi.encodeCall(vault.holdFee, (id, 1, 1)));
        else if (what == 7) _refusedTo(address(vault), abi.encodeCall(vault.releaseFee, (id, STRANGER, 1)));
        else if (what == 8) _refusedTo(address(vault), abi.encodeCall(vault.forfeitFee, (id, 1)));
        else if (what == 9) _refusedTo(address(vault), abi.encodeCall(vault.payBounty, (STRANGER, 1)));
        else if (what == 10) _refusedTo(address(vault), abi.encodeCall(vault.depositPrepaid, (alice, 1)));
        else if (what == 11) _refusedTo(address(vault), abi.encodeCall(vault.passPrepaid, (STRANGER, 1)));
        else if (what == 12) _refusedTo(address(supply), abi.encodeCall(supply.reserve, (id, 1)));
        else if (what == 13) _refusedTo(address(supply), abi.encodeCall(supply.slash, (id, 1)));
        else if (what == 14) _refusedTo(address(supply), abi.encodeCall(supply.setEligible, (id, pick % 2 == 0)));
        else if (what == 15) _refusedTo(address(supply), abi.encodeCall(supply.thaw, ()));
        else if (what == 16) _refusedTo(address(tasks), abi.encodeCall(tasks.refund, (id, 1)));
        else if (what == 17) _refusedTo(address(tasks), abi.encodeCall(tasks.markPaid, (id, 1)));
        else if (what == 18) _refusedTo(address(vault), abi.encodeCall(vault.payVerifier, (id, STRANGER, 1, 1)));
        else if (what == 19) {
            _refusedTo(address(parameters), abi.encodeCall(parameters.set, (Param(pick % 20), 1)));
            _refusedTo(address(parameters), abi.encodeCall(parameters.setIntakePaused, (true)));
        } else {
            uint256[] memory words = new uint256[](1);
            bytes memory data = abi.encodeWithSignature("rawFulfillRandomWords(uint256,uint256[])", pick, words);
            _refusedTo(address(seeds), data);
        }
    }

    /// @notice Money that is nobody's: what was claimed is not there a second time.
    function forbiddenClaim(uint8 pick) external {
        address who = accounts()[pick % 7];
        if (vault.claimable(who) != 0) {
            vm.prank(who);
            vault.claim(who);
        }
        uint256 before = ver.balanceOf(who);
        vm.prank(who);
        (bool ok, ) = address(vault).call(abi.encodeCall(IVault.claim, (who)));
        require(!ok || ver.balanceOf(who) == before, "paid twice");
    }

    /// @dev Without the last byte.
    function _without(bytes memory post) private pure returns (bytes memory less) {
        less = new bytes(post.length - 1);
        for (uint256 i; i < less.length; ++i) less[i] = post[i];
    }

    function _mayNotExpire(ILeaseRegistry.Lease memory held, uint40 deadline) private view returns (bool) {
        if (held.status != ILeaseRegistry.LeaseStatus.Active) return true;
        return block.timestamp <= held.due && block.timestamp <= deadline && !telemetry.silent(held.nodeId);
    }

    function _mayNotAccept(ILeaseRegistry.Lease memory held) private view returns (bool) {
        if (held.status == ILeaseRegistry.LeaseStatus.Paid) return false;
        bool waits =
            held.status == ILeaseRegistry.LeaseStatus.Delivered || held.status == ILeaseRegistry.LeaseStatus.Disputed;
        return !waits || block.timestamp <= held.due;
    }

    function _post(uint32 id, uint24 fence, uint40 progress) private view returns (bytes memory) {
        ICheckpointRegistry.Claim memory claim = ICheckpointRegistry.Claim(
            id,
            fence,
            keccak256(abi.encode(id, progress)),
            CODEC_DAG_PB,
            progress,
            1
        );
        return abi.encodeCall(checkpoints.post, (claim, noReceipts()));
    }

    function _refusedTo(address target, bytes memory data) private {
        _refused(STRANGER, target, data);
    }

    /// @dev The call reverts, for a reason that has a name.
    function _refused(address by, address target, bytes memory data) private {
        vm.prank(by);
        (bool ok, bytes memory reason) = target.call(data);
        require(!ok, string.concat("not refused: ", vm.toString(bytes4(data))));
        require(reason.length >= 4, "a refusal without a reason");
        require(bytes4(reason) != 0x4e487b71, string.concat("a panic: ", vm.toString(bytes4(data))));
    }
}
