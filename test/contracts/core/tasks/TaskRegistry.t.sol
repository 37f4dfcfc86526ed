// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ITaskRegistry} from "../../../../contracts/interfaces/ITaskRegistry.sol";
import {Param} from "../../../../contracts/interfaces/IParameters.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Permits} from "../../support/Permits.sol";
import {NotModule, UnknownClass, UnsupportedCodec} from "../../../../contracts/types/Errors.sol";
import {Permit} from "../../../../contracts/types/Permit.sol";

/// @title Submitting tasks: escrow, bounds, views
contract TaskRegistryTest is Fixture, Permits {
    function test_Submit() public {
        ITaskRegistry.Submission memory s = submission(7, 5_000, list(CPU_EU, GPU_US));
        s.surcharges = new uint256[](2);
        s.surcharges[1] = 3 * MICRO;
        uint256 escrow = escrowFor(7, 5_000);
        uint256 fee = param(Param.SubmissionFee) * MICRO;
        uint256 pool = vault.totals().bountyPool;
        (uint256 escrowSaid, uint256 feeSaid) = tasks.depositFor(7, 5_000 * MICRO, 0);
        assertEq(escrowSaid, escrow);
        assertEq(feeSaid, fee);
        fund(bob, escrow + fee);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskSubmitted(1, bob, SPEC, 7, 5_000 * MICRO, escrow);
        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskQueued(1, 7);
        vm.prank(bob);
        assertEq(tasks.submit(s), 1);

        ITaskRegistry.TaskView memory t = tasks.task(1);
        assertEq(uint8(t.status), uint8(ITaskRegistry.TaskStatus.Open));
        assertTrue(t.queued);
        assertFalse(t.inRound);
        assertEq(t.units, 7);
        assertEq(t.owner, bob);
        assertEq(t.specDigest, SPEC);
        assertEq(t.maxPrice, 5_000 * MICRO);
        assertEq(t.escrow, escrow);
        assertEq(t.feeBps, 200);
        assertEq(t.classIds.length, 2);
        assertEq(t.classIds[1], GPU_US);
        assertEq(t.surcharges[0], 0);
        assertEq(t.surcharges[1], 3 * MICRO);
        assertEq(t.checkpointInterval, 60);
        assertEq(t.deadline, block.timestamp + 30 days);
        assertUnits(1, 7, 0, 0, 0);
        assertEq(vault.escrowOf(1), escrow);
        assertEq(vault.totals().bountyPool, pool + fee);
        assertEq(ver.balanceOf(bob), 0);
        assertBooks();
    }

    function test_Submit_refusals() public {
        ITaskRegistry.Submission memory s = submission(1, 1, list(CPU_EU));

        s.specDigest = 0;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.InvalidSpec.selector));
        s.specDigest = SPEC;
        s.specCodec = 0x71;
        _refused(s, abi.encodeWithSelector(UnsupportedCodec.selector, 0x71));
        s.specCodec = 0x55;
        s.units = 0;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.NoUnits.selector));
        s.units = (1 << 20) + 1;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.TooManyUnits.selector, s.units, 1 << 20));
        s.units = 1;
        s.maxPrice = 0;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.PriceIsZero.selector));
        s.maxPrice = MICRO + 1;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.PriceNotOnGrid.selector, s.maxPrice, MICRO));
        s.maxPrice = (1 << 40) * MICRO;
        _refused(
            s,
            abi.encodeWithSelector(ITaskRegistry.PriceTooHigh.selector, s.maxPrice, uint256(type(uint40).max) * MICRO)
        );
        s.maxPrice = MICRO;
        s.checkpointInterval = 9;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.IntervalOutOfBounds.selector, 9, 10, 1 days));
        s.checkpointInterval = 1 days + 1;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.IntervalOutOfBounds.selector, 1 days + 1, 10, 1 days));
        s.checkpointInterval = 10;
        s.deadline = uint40(block.timestamp + 59);
        _refused(s, abi.encodeWithSelector(ITaskRegistry.DeadlineTooSoon.selector, s.deadline, block.timestamp + 60));
        s.deadline = uint40(block.timestamp + 365 days + 1);
        _refused(
            s,
            abi.encodeWithSelector(ITaskRegistry.DeadlineTooLate.selector, s.deadline, block.timestamp + 365 days)
        );
        s.deadline -= 1;
        submit(bob, s);
        s.deadline = uint40(block.timestamp + 60);
        submit(bob, s);
    }

    function test_Submit_refusedClasses() public {
        ITaskRegistry.Submission memory s = submission(1, 1, new uint8[](0));
        _refused(s, abi.encodeWithSelector(ITaskRegistry.NoClasses.selector));
        s.classIds = new uint8[](17);
        _refused(s, abi.encodeWithSelector(ITaskRegistry.TooManyClasses.selector, 17, 16));
        s.classIds = list(CPU_US, CPU_EU);
        _refused(s, abi.encodeWithSelector(ITaskRegistry.ClassesNotAscending.selector, CPU_EU));
        s.classIds = list(CPU_US, CPU_US);
        _refused(s, abi.encodeWithSelector(ITaskRegistry.ClassesNotAscending.selector, CPU_US));
        s.classIds = list(CPU_US, 4);
        _refused(s, abi.encodeWithSelector(UnknownClass.selector, 4));
        s.classIds = list(CPU_US, GPU_EU);
        s.surcharges = new uint256[](1);
        _refused(s, abi.encodeWithSelector(ITaskRegistry.SurchargeCountMismatch.selector, 2, 1));
        s.surcharges = new uint256[](2);
        s.surcharges[1] = 1;
        _refused(s, abi.encodeWithSelector(ITaskRegistry.PriceNotOnGrid.selector, 1, MICRO));
        s.surcharges[1] = (type(uint256).max / MICRO) * MICRO;
        _refused(
            s,
            abi.encodeWithSelector(
                ITaskRegistry.PriceTooHigh.selector,
                s.surcharges[1],
                uint256(type(uint40).max) * MICRO
            )
        );
    }

    function test_Submit_withoutEnoughMoney() public {
        ITaskRegistry.Submission memory s = submission(2, 1_000, list(CPU_EU));
        uint256 escrow = depositFor(s);
        vm.prank(bob);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, escrow)
        );
        tasks.submit(s);
        fund(bob, escrow - 1);
        vm.prank(bob);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bob, escrow - 1, escrow)
        );
        tasks.submit(s);
        assertEq(tasks.taskCount(), 0);
    }

    function test_SubmitWithPermit() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        ITaskRegistry.Submission memory s = submission(3, 1_001, list(CPU_EU));
        uint256 escrow = escrowFor(3, 1_001);
        uint256 deposit = depositFor(s);
        ver.transfer(signer, 2 * deposit);
        Permit memory p = signPermit(ver, key, address(vault), deposit);
        vm.prank(signer);
        tasks.submitWithPermit(s, p);
        assertEq(vault.escrowOf(1), escrow);

        // Front-run: the permit is used up, the allowance exists.
        p = signPermit(ver, key, address(vault), deposit);
        vm.prank(alice);
        ver.permit(signer, address(vault), deposit, p.deadline, p.v, p.r, p.s);
        vm.prank(signer);
        tasks.submitWithPermit(s, p);
        assertEq(vault.escrowOf(2), escrow);

        // A permit that is worth nothing gives no allowance.
        vm.prank(signer);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        tasks.submitWithPermit(s, p);
    }

    /// @notice The fee that was agreed at submission holds for the task's life.
    function test_FeeIsFixedAtSubmission() public {
        uint32 id = leaseOf(bob, alice, 3);
        setParam(Param.FeeBps, 1_000);
        deliver(id);
        accept(bob, id);
        uint256 paid = 3 * 10_000 * MICRO;
        assertEq(vault.claimable(alice), paid);
        assertEq(vault.escrowOf(1), 0);
        assertEq(vault.claimable(bob), escrowForFee(3, 20_000, 200) - paid - (paid * 200) / 10_000);
        assertBooks();
    }

    function test_OnlyModules() public {
        uint32[] memory none = new uint32[](0);
        bytes memory notModule = abi.encodeWithSelector(NotModule.selector, address(this));
        vm.expectRevert(notModule);
        tasks.freeze(1, 1);
        vm.expectRevert(notModule);
        tasks.take(1, 1);
        vm.expectRevert(notModule);
        tasks.thaw(none, true);
        vm.expectRevert(notModule);
        tasks.reopen(1, ITaskRegistry.OpenRange(0, 1, 0, 0, 0));
        vm.expectRevert(notModule);
        tasks.markPaid(1, 1);
    }

    function test_Take_neverMoreThanIsOpen() public {
        submit(bob, 3, 1_000, CPU_EU);
        vm.prank(address(rounds));
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.NotEnoughOpenUnits.selector, 1, 3, 4));
        tasks.take(1, 4);
    }

    /// @notice A task that asks for audits pays a fee that pays for them: one and a half times their chance, which two thirds of the
    /// usual fee are.
    function test_Submit_audits() public {
        ITaskRegistry.Submission memory s = submission(7, 5_000, list(CPU_EU));
        s.auditChance = 133;
        assertEq(tasks.task(submit(bob, s)).feeBps, 200);
        s.auditChance = 501;
        uint256 deposit = depositFor(s);
        (uint256 escrow, uint256 fee) = tasks.depositFor(7, 5_000 * MICRO, 501);
        assertEq(escrow + fee, deposit);
        vm.expectEmit();
        emit ITaskRegistry.AuditsAskedFor(2, 501, 752);
        uint32 taskId = submit(bob, s);
        ITaskRegistry.TaskView memory v = tasks.task(taskId);
        assertEq(v.feeBps, 752);
        assertEq(v.auditChance, 501);
        assertEq(v.escrow, escrow);
        assertEq(tasks.auditChanceOf(taskId), 501);
        // What an unaudited unit is refunded, an audited one is: all of it.
        vm.prank(bob);
        tasks.cancel(taskId);
        assertEq(vault.claimable(bob), escrow);
        s.auditChance = 5_001;
        fund(bob, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.AuditChanceTooHigh.selector, 5_001, 5_000));
        vm.prank(bob);
        tasks.submit(s);
    }

    function test_Pages() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, 1));
        tasks.task(1);
        for (uint256 i; i < 3; ++i) submit(bob, 1, 1_000, CPU_EU);
        assertEq(lens.queuePage(1, 10).length, 2);
        assertEq(lens.queuePage(1, 1)[0], 2);
        assertEq(lens.queuePage(3, 1).length, 0);
        assertEq(tasks.queueLength(), 3);
    }

    function test_Servable() public {
        submit(bob, 1, 10_000, CPU_EU);
        ITaskRegistry.Submission memory s = submission(1, 10_000, list(CPU_EU, CPU_US));
        s.surcharges = new uint256[](2);
        s.surcharges[0] = 1 * MICRO;
        s.surcharges[1] = 10_001 * MICRO;
        submit(bob, s);
        assertFalse(servable(1));
        register(alice, CPU_US, 1, 0);
        assertFalse(servable(2), "the surcharge alone is above the price");
        register(alice, CPU_EU, 1, 10);
        assertTrue(servable(1));
        assertFalse(servable(2));
    }

    function escrowForFee(uint256 units, uint256 price, uint256 feeBps) private pure returns (uint256) {
        return units * (price * MICRO + (price * MICRO * feeBps + 9_999) / 10_000);
    }

    function _refused(ITaskRegistry.Submission memory s, bytes memory reason) private {
        vm.expectRevert(reason);
        tasks.submit(s);
    }
}
