// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Param} from "../../../contracts/interfaces/IParameters.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISupply} from "../../../contracts/interfaces/ISupply.sol";
import {ILeaseRegistry} from "../../../contracts/interfaces/ILeaseRegistry.sol";
import {ITaskRegistry} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {GasSnapshots} from "../support/GasSnapshots.sol";
import {Permits} from "../support/Permits.sol";
import {Permit} from "../../../contracts/types/Permit.sol";

/// @title What people send from their wallets day by day, as transactions of their own
contract EverydayGasTest is GasSnapshots, Permits {
    /// hardhat-config: isolate = true
    function test_Permits() public compared {
        register(alice, CPU_EU, 1, 10);
        submit(bob, 4, 20_000, CPU_EU);
        (address signer, uint256 key) = makeAddrAndKey("signer");
        ITaskRegistry.Submission memory s = submission(4, 20_000, list(CPU_EU));
        (uint256 stake, uint256 deposit) = (stakeFor(4), depositFor(s));
        ver.transfer(signer, 2 * (stake + deposit));
        Permit memory p = signPermit(ver, key, address(vault), stake);
        ISupply.Terms memory terms = termsOf(CPU_EU, 4, 10);
        INodeRegistry.Consent memory consent = consentOf(signer, operatorKey(2));
        vm.prank(signer);
        nodes.registerWithPermit(consent, terms, _reachable(), stake, p);
        _note("node: register, by permit");
        p = signPermit(ver, key, address(vault), deposit);
        vm.prank(signer);
        tasks.submitWithPermit(s, p);
        _note("task: submit, by permit");
        vm.prank(signer);
        ver.approve(address(vault), deposit);
        _note("token: approve");
        fund(alice, stake);
        consent = consentOf(alice, operatorKey(3));
        vm.prank(alice);
        nodes.register(consent, terms, _reachable(), stake);
        _note("node: register, approved before");
        ver.transfer(signer, stake);
        p = signPermit(ver, key, address(vault), stake);
        vm.prank(signer);
        nodes.addStakeWithPermit(2, stake, p);
        _note("node: add stake, by permit");
    }

    /// hardhat-config: isolate = true
    function test_NodeLife() public compared {
        register(alice, CPU_EU, 1, 10);
        register(alice, CPU_EU, 4, 10);
        ISupply.Terms memory terms = termsOf(CPU_EU, 4, 12);
        vm.startPrank(alice);
        nodes.setTerms(2, terms);
        _note("node: change its ask");
        nodes.setProfile(2, _reachable());
        _note("node: change its profile");
        vm.stopPrank();
        fund(alice, 100 ether);
        vm.startPrank(alice);
        nodes.addStake(2, 100 ether);
        _note("node: add stake");
        nodes.drain(2);
        nodes.resume(2);
        _note("node: resume");
        nodes.drain(2);
        nodes.exit(2);
        _note("node: exit");
        vm.warp(block.timestamp + param(Param.UnbondingPeriod));
        nodes.withdraw(2);
        _note("node: withdraw");
        vm.stopPrank();
    }

    /// hardhat-config: isolate = true
    function test_GivenBackAndAborted() public compared {
        uint32 id = leaseOf(bob, alice, 4);
        vm.prank(operatorOf(1));
        leases.release(id, 1, ILeaseRegistry.EndReason.GivenBack);
        _note("lease: release");
        openRound();
        vm.warp(block.timestamp + param(Param.SeedTimeout) + 1);
        vm.prank(keeper);
        rounds.abort();
        _note("round: abort");
    }

    /// hardhat-config: isolate = true
    function test_Disputed() public compared {
        uint32 id = leaseOf(bob, alice, 4);
        deliver(id);
        fund(bob, 100 ether);
        vm.prank(bob);
        leases.dispute(id);
        _note("lease: dispute");
    }

    /// @dev With an address as agents announce it.
    function _reachable() private pure returns (INodeRegistry.Profile memory p) {
        p = profile();
        p.endpoint = "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWJ7Xhy1RcBNmFvuCwWcZdu3qAuJ2r4dRXYpRh9Xc4ZbLq";
    }

    function _note(string memory name) private {
        note("everyday", name);
    }
}
