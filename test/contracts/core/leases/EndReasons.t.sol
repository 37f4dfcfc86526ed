// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../../contracts/interfaces/ILeaseRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Failures} from "../../support/Failures.sol";

/// @title Every lease that ends without being paid says why
contract EndReasonsTest is Failures {
    uint32 private id;

    function setUp() public override {
        super.setUp();
        id = leaseOn(4);
    }

    function test_Given() public {
        _expectReleased(ILeaseRegistry.EndReason.OwnerBack);
        _release(ILeaseRegistry.EndReason.OwnerBack);
    }

    /// @notice A node says what is its own to say, and nothing that the contracts find.
    function testFuzz_Refused(uint8 given) public {
        address operator = operatorOfLease(id);
        uint8 reason = uint8(bound(given, 0, uint8(type(ILeaseRegistry.EndReason).max)));
        ILeaseRegistry.EndReason why = ILeaseRegistry.EndReason(reason);
        bool its = reason != 0 && why <= ILeaseRegistry.EndReason.DeadlinePassed;
        if (its) _expectReleased(why);
        else vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.InvalidReason.selector, why));
        vm.prank(operator);
        leases.release(id, 1, why);
    }

    function test_Overdue() public {
        checkpoint(id, 100);
        vm.warp(uint256(leases.lease(id).due) + 1);
        _expectExpired(ILeaseRegistry.EndReason.Overdue);
        leases.expire(id);
    }

    /// @notice A lease that is overdue and never got its range further had no headway, where that is charged for.
    function test_NoHeadway() public {
        chargeReleases();
        vm.warp(uint256(leases.lease(id).due) + 1);
        _expectExpired(ILeaseRegistry.EndReason.NoHeadway);
        leases.expire(id);
    }

    function test_Silent() public {
        setParam(Param.ReportInterval, 10);
        setParam(Param.ReportTimeout, 20);
        vm.warp(block.timestamp + 21);
        _expectExpired(ILeaseRegistry.EndReason.Silent);
        leases.expire(id);
    }

    function _release(ILeaseRegistry.EndReason reason) private {
        vm.prank(operatorOfLease(id));
        leases.release(id, 1, reason);
    }

    function _expectReleased(ILeaseRegistry.EndReason reason) private {
        ILeaseRegistry.Lease memory held = leases.lease(id);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseReleased(id, held.taskId, held.nodeId, reason);
    }

    function _expectExpired(ILeaseRegistry.EndReason reason) private {
        ILeaseRegistry.Lease memory held = leases.lease(id);
        vm.expectEmit(address(leases));
        emit ILeaseRegistry.LeaseExpired(id, held.taskId, held.nodeId, address(this), reason);
    }
}
