// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MAX_LINE, MAX_MOVED_LINE} from "../../../contracts/types/Units.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {Moves} from "../support/Moves.sol";
import {ClassSet} from "../../../contracts/types/ClassSet.sol";

/// @title One owner takes a range and gives it back, again and again, until the developer is refunded
contract HandsUsedUpTest is Moves {
    address private mallory = makeAddr("mallory");

    /// @notice Alone, an owner uses up one hand of a range, with as many nodes as it likes.
    function test_OneOwner() public {
        setParam(Param.MaxReassignments, 3);
        register(mallory, CPU_EU, 4, 1);
        register(mallory, CPU_EU, 4, 2);
        submit(bob, 4, 20_000, CPU_EU);
        for (uint256 i; i < 20; ++i) {
            runRound(i + 1);
            uint32 id = leases.leaseCount();
            assertEq(leases.lease(id).reassignments, i == 0 ? 0 : 1);
            release(id);
        }
        assertUnits(1, 4, 0, 0, 0);
        assertEq(leases.lease(leases.leaseCount()).reassignments, 1);
        emit log_named_uint("leases given back for one hand of the range", leases.leaseCount());
    }

    /// @notice Owners in turn use them up, as a program that fails everywhere does.
    function test_Owners() public {
        setParam(Param.MaxReassignments, 3);
        for (uint256 i; i < 3; ++i) {
            register(makeAddr(vm.toString(i)), CPU_EU, 4, i + 1);
            if (i == 0) submit(bob, 4, 20_000, CPU_EU);
            runRound(i + 1);
            uint32 id = leases.leaseCount();
            uint32 nodeId = leases.lease(id).nodeId;
            release(id);
            assertEq(leases.lease(id).reassignments, i + 1);
            (address owner, ) = nodes.keysOf(nodeId);
            vm.prank(owner);
            nodes.drain(nodeId);
        }
        assertUnits(1, 0, 0, 0, 4);
        assertBooks();
    }

    /// @notice Moves use up no hands.
    function test_Moves() public {
        _market();
        loads(10_000, 0, 0);
        moveAndDraw(1, 3, 7);
        assertEq(leases.lease(2).parent, 1);
        assertEq(leases.lease(2).fence, 2);
        for (uint32 id = 1; id <= leases.leaseCount(); ++id) assertEq(leases.lease(id).reassignments, 0);
    }

    /// @notice A range that has had many leases moves no longer: what is left of its line is for failures.
    function test_MovedTooOften() public {
        register(mallory, CPU_EU, 4, 1);
        submit(bob, 4, 20_000, CPU_EU);
        for (uint256 i; i < MAX_MOVED_LINE; ++i) {
            runRound(i + 1);
            if (i + 1 == MAX_MOVED_LINE) _assertMoves(leases.leaseCount());
            release(leases.leaseCount());
        }
        runRound(99);
        uint32 id = leases.leaseCount();
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseRegistry.RangeMovedTooOften.selector, id, MAX_MOVED_LINE + 1, MAX_MOVED_LINE)
        );
        vm.prank(address(balancer));
        leases.startMove(id, 1, ClassSet.wrap(0));
    }

    /// @dev The lease may move; then it is as if it had not.
    function _assertMoves(uint32 id) private {
        uint256 before = vm.snapshotState();
        vm.prank(address(balancer));
        leases.startMove(id, 1, ClassSet.wrap(0));
        assertStatus(id, ILeaseRegistry.LeaseStatus.Moving);
        vm.revertToState(before);
    }

    /// @notice A range has 64 leases at most, whichever nodes held them; then the developer has its money back.
    function test_LongestLine() public {
        register(mallory, CPU_EU, 1, 1);
        submit(bob, 1, 20_000, CPU_EU);
        uint256 before = vault.claimable(bob);
        for (uint256 i; i < MAX_LINE; ++i) {
            assertUnits(1, 1, 0, 0, 0);
            runRound(i + 1);
            release(leases.leaseCount());
        }
        assertEq(leases.leaseCount(), MAX_LINE);
        assertUnits(1, 0, 0, 0, 1);
        assertGt(vault.claimable(bob), before);
        assertBooks();
    }
}
