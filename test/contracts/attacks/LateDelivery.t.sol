// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A node delivers after the deadline, when nobody looks, and is paid once the dispute window is over
contract LateDeliveryTest is Fixture {
    function test_DeliverAfterTheDeadline() public {
        register(alice, CPU_EU, 4, 10);
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        s.deadline = uint40(block.timestamp + 2 hours);
        submit(bob, s);
        runRound(1);
        vm.warp(uint256(s.deadline) + 1);
        address operator = operatorOfLease(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseRegistry.TaskDeadlinePassed.selector, 1, s.deadline));
        vm.prank(operator);
        leases.deliver(1, 1, SPEC, 0x70, 1);
        // Everything goes back to the developer, without a dispute.
        tasks.close(1);
        release(1);
        assertUnits(1, 0, 0, 0, 4);
        emit log_named_uint("wei that a late delivery earns, of 40,000 micro-VER aimed for", vault.claimable(alice));
        assertEq(vault.claimable(alice), 0);
        assertBooks();
    }

    function test_DeliverAtTheDeadline() public {
        register(alice, CPU_EU, 4, 10);
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        s.deadline = uint40(block.timestamp + 2 hours);
        submit(bob, s);
        runRound(1);
        vm.warp(s.deadline);
        deliver(1);
        assertStatus(1, ILeaseRegistry.LeaseStatus.Delivered);
    }
}
