// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title Pages of the lens end where the list ends, wherever they begin
contract LensPagesTest is Fixture {
    function test_LeasePage() public {
        for (uint256 i; i < 3; ++i) leaseOf(bob, alice, 2);
        ILeaseRegistry.LeaseView[] memory page = lens.leasePage(2, 3);
        assertEq(page.length, 2, "cut at the last");
        for (uint32 i; i < 2; ++i) {
            assertEq(page[i].id, 2 + i);
            assertEq(abi.encode(page[i].lease), abi.encode(leases.lease(2 + i)));
        }
        deliver(3);
        page = lens.leasePage(1, 3);
        assertEq(page.length, 3);
        assertEq(abi.encode(page[2].result), abi.encode(leases.result(3)));
    }

    function test_QueuePage() public {
        for (uint256 i; i < 3; ++i) submit(bob, 1, 20_000, CPU_EU);
        assertEq(tasks.queueLength(), 3);
        uint32[] memory page = lens.queuePage(1, 3);
        assertEq(page.length, 2, "cut at the last");
        assertEq(page[0], tasks.queueAt(1));
        assertEq(page[1], tasks.queueAt(2));
        assertEq(lens.queuePage(0, 2).length, 2);
        assertEq(lens.queuePage(3, 1).length, 0);
    }

    /// @notice Of the tasks asked for, those that a round could take now.
    function test_Servable() public {
        leaseOf(bob, alice, 2);
        register(alice, CPU_EU, 2, 10);
        uint32[] memory ids = new uint32[](3);
        (ids[0], ids[1], ids[2]) = (1, submit(bob, 1, 9_999, CPU_EU), submit(bob, 1, 10_000, CPU_EU));
        uint32[] memory found = lens.servableOf(ids);
        assertEq(found.length, 1, "one is leased, one pays too little");
        assertEq(found[0], 3);
    }
}
