// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title Huge tasks that the griefer's own node serves, and gives back, fill the rounds
contract RoundFillingTest is Fixture {
    /// @notice However much the griefer's tasks want, the next round has an equal share for everyone else: a task of
    /// ordinary size is served at once, round after round.
    function test_HugeTasksFillNoRound() public {
        address mallory = makeAddr("mallory");
        address developer = makeAddr("developer");
        register(mallory, CPU_US, 192, 0);
        register(alice, CPU_EU, 1_000, 10);
        setParam(Param.SeedPrice, 20_000);
        for (uint256 i; i < 5; ++i) submit(mallory, 1 << 12, 1, CPU_US);
        uint256 before = _deposits();
        for (uint256 cycle; cycle < 3; ++cycle) {
            uint32 honest = submit(developer, 8, 20_000, CPU_EU);
            runRound(cycle + 1);
            assertUnits(honest, 0, 8, 0, 0);
            for (uint32 id = leases.leaseCount(); id != 0; --id) {
                ILeaseRegistry.Lease memory held = leases.lease(id);
                if (held.nodeId == 1 && held.status == ILeaseRegistry.LeaseStatus.Active) release(id);
            }
        }
        uint256 cost = 5 * param(Param.SubmissionFee) * MICRO + before - _deposits();
        emit log_named_decimal_uint("VER that filling three rounds cost the griefer; no honest task waited", cost, 18);
        assertGt(cost, 5 * param(Param.SubmissionFee) * MICRO, "each round costs again");
        assertBooks();
    }

    /// @dev What the griefer's tasks have left to pay for rounds.
    function _deposits() private view returns (uint256 sum) {
        for (uint32 id = 1; id <= 5; ++id) sum += tasks.task(id).roundDeposit;
    }
}
