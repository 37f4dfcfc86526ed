// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MAX_TASK_CLASSES} from "../../../contracts/types/Units.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Fixture} from "../support/Fixture.sol";

/// @title A griefer puts heaps of tasks that nothing serves before everybody else's
contract HeapsTest is Fixture {
    uint8 private constant FIRST = 4;

    address private griefer = makeAddr("griefer");
    address private developer = makeAddr("developer");

    function setUp() public override {
        super.setUp();
        setParam(Param.SeedPrice, 20_000);
        ISupply.Class[] memory added = new ISupply.Class[](MAX_TASK_CLASSES);
        for (uint256 i; i < MAX_TASK_CLASSES; ++i) added[i] = ISupply.Class(bytes32(i + 1), 1_000);
        supply.addClasses(added);
        for (uint256 i; i < MAX_TASK_CLASSES; ++i) register(alice, uint8(FIRST + i), 1, 2_007);
    }

    /// @notice Tasks of sixteen classes, each with a price of its own: the dearest looks. Before, moving 86 of them took more
    /// gas than a transaction may have, for anyone who tried, for ever. Now each transaction goes as far as its gas, and what
    /// was passed is out of the queue.
    /// hardhat-config: isolate = true
    function test_DearestTasks() public {
        uint256 count = 200;
        uint256 poolBefore = vault.totals().bountyPool;
        for (uint256 i; i < count; ++i) _submitDear(i);
        uint256 paid = vault.totals().bountyPool - poolBefore;
        uint32 honest = submit(developer, 1, 2_007_000, FIRST);
        uint256 steps;
        uint256 gas_;
        while (lens.queuePage(0, 1)[0] != honest) {
            tasks.park{gas: GAS_CAP - 30_000}(type(uint256).max);
            ++steps;
            gas_ += vm.lastCallGas().gasTotalUsed;
            assertLe(vm.lastCallGas().gasTotalUsed, GAS_CAP);
        }
        emit log_named_uint("transactions that pass 200 tasks of 16 classes", steps);
        emit log_named_uint("their gas", gas_);
        emit log_named_decimal_uint("what the heap cost the griefer, VER", paid, 18);
        assertLe(steps, 3);
        assertEq(paid, count * param(Param.SubmissionFee) * MICRO);
        openRound();
        assertEq(rounds.current().demands[0].taskId, honest);
    }

    /// @notice A step always gets somewhere with the gas of one task, and never takes more than it was given.
    /// hardhat-config: isolate = true
    function test_LittleGas() public {
        for (uint256 i; i < 3; ++i) _submitDear(i);
        tasks.park{gas: 500_000}(3);
        assertGe(tasks.parkedCount(), 1);
    }

    /// @notice As many as keepers look at, before an honest task. Before, no round ever opened again; the price was 2.56 VER,
    /// once. Now they are parked in one transaction, and putting them back costs the same again.
    /// hardhat-config: isolate = true
    function test_256InFront() public {
        uint256 count = 256;
        for (uint256 i; i < count; ++i) submit(griefer, 1, 1, CPU_EU);
        register(alice, CPU_US, 8, 10);
        uint32 honest = submit(developer, 8, 20_000, CPU_US);
        uint256 gas_;
        while (lens.queuePage(0, 1)[0] != honest) {
            tasks.park{gas: GAS_CAP - 30_000}(type(uint256).max);
            gas_ += vm.lastCallGas().gasTotalUsed;
        }
        emit log_named_uint("gas that parks 256 tasks", gas_);
        runRound(1);
        assertUnits(honest, 0, 8, 0, 0);
        assertEq(tasks.parkedCount(), count);

        // The griefer's own node asks nothing for a moment: anyone may put its tasks back, at their cost.
        register(griefer, CPU_EU, 1, 0);
        uint256 pool = vault.totals().bountyPool;
        vm.prank(keeper);
        uint256 back = tasks.enqueue{gas: GAS_CAP - 30_000}(lens.parkedPage(0, count));
        emit log_named_uint("put back in one transaction", back);
        emit log_named_uint("its gas", vm.lastCallGas().gasTotalUsed);
        uint256 cost = vault.totals().bountyPool - pool;
        emit log_named_decimal_uint("what that cost the griefer's tasks, VER", cost, 18);
        assertEq(cost, back * param(Param.SubmissionFee) * MICRO);
        assertGt(back, 100);
    }

    /// @notice Before tasks, between them and behind them: each is met once, and an honest task is at most as many steps away
    /// as the heap costs submission fees for.
    function test_Interleaved() public {
        setParam(Param.RoundMaxTasks, 2);
        register(alice, CPU_US, 8, 10);
        for (uint256 i; i < 4; ++i) {
            submit(developer, 1, 20_000, CPU_US);
            for (uint256 j; j < 7; ++j) submit(griefer, 1, 1, CPU_EU);
        }
        for (uint256 i; i < 2; ++i) {
            tasks.park(type(uint256).max);
            runRound(i);
        }
        for (uint32 i; i < 4; ++i) assertUnits(1 + 8 * i, 0, 1, 0, 0);
    }

    function _submitDear(uint256 salt) private {
        uint8[] memory ids = new uint8[](MAX_TASK_CLASSES);
        uint256[] memory surcharges = new uint256[](MAX_TASK_CLASSES);
        for (uint256 i; i < MAX_TASK_CLASSES; ++i) {
            ids[i] = uint8(FIRST + i);
            surcharges[i] = 10 * i * MICRO;
        }
        ITaskRegistry.Submission memory s = submission(1, 2_000_500 - 9_000 * salt, ids);
        s.surcharges = surcharges;
        submit(griefer, s);
    }
}
