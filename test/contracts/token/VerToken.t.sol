// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {TestnetFaucet} from "../../../contracts/token/TestnetFaucet.sol";
import {VerToken} from "../../../contracts/token/VerToken.sol";
import {Fixture} from "../support/Fixture.sol";
import {Permits} from "../support/Permits.sol";
import {Permit} from "../../../contracts/types/Permit.sol";

/// @title $VER and its faucet
contract VerTokenTest is Fixture, Permits {
    function test_Facts() public view {
        assertEq(ver.name(), "VerAI");
        assertEq(ver.symbol(), "VER");
        assertEq(ver.decimals(), 18);
        assertEq(ver.cap(), SUPPLY);
        assertEq(ver.totalSupply(), SUPPLY / 2);
    }

    function test_Mint_upToTheCap() public {
        ver.mint(bob, SUPPLY / 2);
        vm.expectRevert(abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, SUPPLY + 1, SUPPLY));
        ver.mint(bob, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob));
        vm.prank(bob);
        ver.mint(bob, 0);
    }

    function test_InitialSupplyIsCapped() public {
        vm.expectRevert(abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, 11, 10));
        new VerToken(address(manager), 10, bob, 11);
    }

    function test_Permit() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        Permit memory p = signPermit(ver, key, bob, 5);
        ver.permit(signer, bob, 5, p.deadline, p.v, p.r, p.s);
        assertEq(ver.allowance(signer, bob), 5);
        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        ver.permit(signer, bob, 5, p.deadline, p.v, p.r, p.s);
    }

    function test_Faucet() public {
        TestnetFaucet faucet = new TestnetFaucet(ver, 10);
        vm.expectRevert(abi.encodeWithSelector(TestnetFaucet.FaucetEmpty.selector, 0, 10));
        faucet.drip();
        ver.transfer(address(faucet), 25);
        vm.startPrank(bob);
        vm.expectEmit(address(faucet));
        emit TestnetFaucet.Dripped(bob, 10);
        faucet.drip();
        assertEq(ver.balanceOf(bob), 10);
        uint256 next = block.timestamp + 1 days;
        vm.warp(next - 1);
        vm.expectRevert(abi.encodeWithSelector(TestnetFaucet.AlreadyServed.selector, bob, next));
        faucet.drip();
        vm.warp(next);
        faucet.drip();
        vm.stopPrank();
        assertEq(ver.balanceOf(bob), 20);
    }
}
