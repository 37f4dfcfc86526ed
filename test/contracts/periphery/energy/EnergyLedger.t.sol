// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Figures} from "../../../../contracts/periphery/energy/Figures.sol";
import {IEnergyLedger} from "../../../../contracts/interfaces/IEnergyLedger.sol";
import {Fixture} from "../../support/Fixture.sol";
import {Reports} from "../../support/Reports.sol";

/// @title Energy and carbon: what is booked where, and how it is rounded
contract EnergyLedgerTest is Fixture, Reports {
    IEnergyLedger.Scope private constant NETWORK = IEnergyLedger.Scope.Network;
    IEnergyLedger.Scope private constant NODE = IEnergyLedger.Scope.Node;
    IEnergyLedger.Scope private constant TASK = IEnergyLedger.Scope.Task;

    function setUp() public override {
        super.setUp();
        // Leases 1 and 2 of tasks 1 and 2, of 4 and 2 units on nodes 1 and 2.
        leaseOf(bob, alice, 4);
        register(alice, CPU_EU, 2, 10);
        submit(bob, 2, 20_000, CPU_EU);
        runRound(1);
        _setClass(CPU_EU, 10_000, 200_000);
        vm.warp(block.timestamp + 1 hours);
    }

    function test_Record() public {
        IEnergyLedger.EnergyReport memory r = withShare(energyOf(1), 1, 4_001);
        (r.joules, r.renewableJoules, r.idleUnitSeconds) = (6_000, 1_000, 100);
        reportEnergy(r);
        IEnergyLedger.Summary memory s = ledger.summaryOf(NODE, 1);
        assertEq(s.joules, 6_000);
        assertEq(s.raplJoules, 6_000);
        assertEq(s.renewableJoules, 1_000);
        assertEq(s.seconds_, 60);
        assertEq(s.averageWatts, 100);
        assertEq(s.unitSeconds, 240);
        assertEq(s.idleUnitSeconds, 100);
        // 5,000 J at 200 g/kWh: 277.8 mg, rounded up.
        assertEq(s.carbonMilligrams, 278);
        assertEq(s.renewableBps, 1_666);
        assertEq(s.idleBps, 4_166);
        assertEq(s.efficiencyGainBps, 0);
        assertEq(s.avoidedMilligrams, -278);
        assertEq(keccak256(abi.encode(ledger.summaryOf(NETWORK, 0))), keccak256(abi.encode(s)), "network");

        s = ledger.summaryOf(TASK, 1);
        assertEq(s.joules, 4_001);
        // 1,000 x 4,001 / 6,000, rounded down.
        assertEq(s.renewableJoules, 666);
        assertEq(s.unitSeconds, 240);
        assertEq(s.idleUnitSeconds, 100);
        assertEq(s.carbonMilligrams, 186);
        IEnergyLedger.LeaseEnergy memory e = ledger.leaseEnergyOf(1);
        assertEq(e.joules, 4_001);
        assertEq(e.renewableJoules, 666);
        assertTrue(e.reported);
    }

    /// @notice What is estimated is never called measured.
    function test_Methods() public {
        IEnergyLedger.Method[3] memory methods = [
            IEnergyLedger.Method.Rapl,
            IEnergyLedger.Method.Nvml,
            IEnergyLedger.Method.Estimated
        ];
        for (uint40 i; i < 3; ++i) {
            IEnergyLedger.EnergyReport memory r = withShare(energyOf(1), 1, i + 1);
            (r.method, r.joules) = (uint8(methods[i]), 10 * (i + 1));
            reportEnergy(r);
            vm.warp(block.timestamp + 60);
        }
        IEnergyLedger.Summary memory s = ledger.summaryOf(NODE, 1);
        assertEq(s.raplJoules, 10);
        assertEq(s.nvmlJoules, 20);
        assertEq(s.estimatedJoules, 30);
        assertEq(s.joules, 60);
        s = ledger.summaryOf(TASK, 1);
        assertEq(s.raplJoules, 1);
        assertEq(s.nvmlJoules, 2);
        assertEq(s.estimatedJoules, 3);
    }

    function test_Credit() public {
        reportEnergy(withShare(energyOf(1), 1, 6_000));
        _pay(1);
        vm.expectEmit(address(ledger));
        // 4 units x 10,000 J x 1.56.
        emit IEnergyLedger.LeaseCredited(1, 1, 4, 62_400);
        ledger.credit(ids32(1));
        IEnergyLedger.Scope[3] memory scopes = [NETWORK, NODE, TASK];
        for (uint256 i; i < 3; ++i) {
            IEnergyLedger.Summary memory s = ledger.summaryOf(scopes[i], i == 0 ? 0 : 1);
            assertEq(s.creditedUnits, 4);
            assertEq(s.baselineJoules, 62_400);
            // (62,400 - 6,000) / 62,400.
            assertEq(s.efficiencyGainBps, 9_038);
            assertEq(s.carbonReductionBps, 9_038);
            // 62,400 J at 200 g/kWh are 3,466.7 mg, 6,000 J 333.3 mg: 3,133.3 mg are avoided.
            assertEq(s.baselineCarbonMilligrams, 3_466);
            assertEq(s.carbonMilligrams, 334);
            assertEq(s.avoidedMilligrams, 3_133);
        }
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.AlreadyCredited.selector, 1));
        ledger.credit(ids32(1));
    }

    /// @notice A gain is claimed only for work whose energy is known, and only once it was paid.
    function test_Credit_refused() public {
        reportEnergy(withShare(energyOf(1), 1, 6_000));
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.LeaseNotCreditable.selector, 1));
        ledger.credit(ids32(1));
        _pay(2);
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.LeaseNotCreditable.selector, 2));
        ledger.credit(ids32(2));
        // Its last report may come after the payment.
        reportEnergy(withShare(energyOf(2), 2, 6_000));
        ledger.credit(ids32(2));
    }

    /// @notice The class counts that the node had when it first reported on the lease, not one that it chose later.
    function test_Credit_classOfTheFirstReport() public {
        reportEnergy(withShare(energyOf(1), 1, 1));
        _setClass(GPU_EU, 1_000_000, 400_000);
        vm.startPrank(alice);
        nodes.setTerms(1, termsOf(GPU_EU, 4, 10));
        vm.stopPrank();
        vm.warp(block.timestamp + 60);
        reportEnergy(withShare(energyOf(1), 1, 1));
        _pay(1);
        ledger.credit(ids32(1));
        assertEq(ledger.summaryOf(TASK, 1).baselineJoules, 62_400);
    }

    function test_NoBaselineNoGain() public {
        _setClass(CPU_EU, 0, 200_000);
        reportEnergy(withShare(energyOf(1), 1, 6_000));
        _pay(1);
        ledger.credit(ids32(1));
        IEnergyLedger.Summary memory s = ledger.summaryOf(TASK, 1);
        assertEq(s.efficiencyGainBps, 0);
        assertEq(s.carbonReductionBps, 0);
        assertEq(s.creditedUnits, 4);
    }

    function test_SetClassEnergies() public {
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](1);
        settings[0] = IEnergyLedger.ClassSetting(CPU_US, IEnergyLedger.ClassEnergy(7, 2_000_001));
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.ClassEnergyOutOfBounds.selector, CPU_US, 7, 2_000_001));
        ledger.setClassEnergies(settings);
        settings[0].energy.gridIntensity = 2_000_000;
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob));
        vm.prank(bob);
        ledger.setClassEnergies(settings);
        vm.expectEmit(address(ledger));
        emit IEnergyLedger.ClassEnergySet(CPU_US, IEnergyLedger.ClassEnergy(0, 0), settings[0].energy);
        ledger.setClassEnergies(settings);
        assertEq(ledger.classEnergyOf(CPU_US).baselineJoules, 7);
        settings[0].energy.baselineJoules = 20_000 * 1 days + 1;
        vm.expectPartialRevert(IEnergyLedger.ClassEnergyOutOfBounds.selector);
        ledger.setClassEnergies(settings);
    }

    function test_OnlyTheOperatorReports() public {
        vm.expectRevert(abi.encodeWithSelector(IEnergyLedger.NotOperator.selector, 1, bob));
        vm.prank(bob);
        ledger.report(energyOf(1));
    }

    /// @notice As published: 1000 against 600 kWh are 40 %. Signed, and 0 without a baseline.
    function test_Gain() public pure {
        assertEq(Figures.gain(1_000, 600), 4_000);
        assertEq(Figures.gain(600, 900), -5_000);
        assertEq(Figures.gain(0, 600), 0);
        assertEq(Figures.gain(3, 1), 6_666);
        assertEq(Figures.gain(3, 4), -3_334);
    }

    /// @notice Nothing is ever rounded in the network's favour.
    function testFuzz_Rounding(uint80 baseline, uint80 used) public pure {
        int256 gain = Figures.gain(baseline, used);
        if (baseline == 0) return assertEq(gain, 0);
        int256 exact = (int256(uint256(baseline)) - int256(uint256(used))) * 10_000;
        assertLe(gain * int256(uint256(baseline)), exact);
        assertGt((gain + 1) * int256(uint256(baseline)), exact);
    }

    /// @notice Over any reports: tasks have no more than their nodes, nodes what the network has, and no part of the
    /// renewable energy is there twice.
    function testFuzz_Sums(uint40[8] memory joules, uint40[8] memory renewable, uint40[8] memory shared) public {
        uint256[3] memory total;
        for (uint256 i; i < 8; ++i) {
            uint32 id = uint32(i % 2) + 1;
            IEnergyLedger.EnergyReport memory r = energyOf(id);
            r.joules = uint40(bound(joules[i], 0, 60_000));
            r.renewableJoules = uint40(bound(renewable[i], 0, r.joules));
            r = withShare(r, id, uint40(bound(shared[i], 0, r.joules)));
            reportEnergy(r);
            total[0] += r.joules;
            total[1] += r.renewableJoules;
            total[2] += r.shares[0].joules;
            vm.warp(block.timestamp + 60);
        }
        IEnergyLedger.Account memory network = ledger.accountOf(NETWORK, 0);
        assertEq(network.raplJoules, total[0]);
        assertEq(network.renewableJoules, total[1]);
        assertEq(network.carbon, (total[0] - total[1]) * 200_000);
        uint256[3] memory nodes_;
        uint256[3] memory tasks_;
        for (uint32 id = 1; id <= 2; ++id) {
            _sum(nodes_, ledger.accountOf(NODE, id));
            _sum(tasks_, ledger.accountOf(TASK, id));
        }
        assertEq(nodes_[0], total[0]);
        assertEq(nodes_[1], total[1]);
        assertEq(nodes_[2], network.carbon);
        assertEq(tasks_[0], total[2]);
        assertLe(tasks_[1], total[1]);
    }

    function _sum(uint256[3] memory sums, IEnergyLedger.Account memory a) private pure {
        sums[0] += a.raplJoules;
        sums[1] += a.renewableJoules;
        sums[2] += a.carbon;
    }

    function _setClass(uint8 classId, uint40 baseline, uint24 intensity) private {
        IEnergyLedger.ClassSetting[] memory settings = new IEnergyLedger.ClassSetting[](1);
        settings[0] = IEnergyLedger.ClassSetting(classId, IEnergyLedger.ClassEnergy(baseline, intensity));
        ledger.setClassEnergies(settings);
    }

    function _pay(uint32 leaseId) private {
        deliver(leaseId);
        accept(bob, leaseId);
    }
}
