// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Paymaster} from "@openzeppelin/contracts/account/paymaster/Paymaster.sol";
import {IPasskeyAccount} from "../../../contracts/interfaces/IPasskeyAccount.sol";
import {SponsorPaymaster} from "../../../contracts/accounts/SponsorPaymaster.sol";
import {Passkeys} from "../support/Passkeys.sol";

/// @dev Fails, or burns what it is given.
contract Target {
    bool public broken;

    function setBroken() external {
        broken = true;
    }

    function work() external view {
        require(!broken, "broken");
    }
}

/// @title The paymaster: what it pays, and what it cannot be made to pay
contract SponsorPaymasterTest is Passkeys {
    IPasskeyAccount private account;
    Target private target;

    function setUp() public {
        vm.warp(1_800_000_000);
        deployAccounts();
        account = accountOf(PASSKEY);
        target = new Target();
    }

    function test_PaysForWhatItsSignerHasSigned() public {
        PackedUserOperation memory op = sponsored(_work());
        uint256 before = sponsorDeposit();
        uint256 day = uint256(block.timestamp + 600) / 1 days;
        vm.expectEmit(true, true, false, false, address(sponsor));
        emit SponsorPaymaster.OperationSponsored(address(account), day, 0);
        bundle(signed(PASSKEY, op));
        uint256 paid = before - sponsorDeposit();
        assertGt(paid, 0);
        assertEq(address(account).balance, 0);
        // What is counted is a bound of what is paid.
        assertGe(sponsor.committed(day), paid);
        assertLe(sponsor.committed(day), 0.01 ether);
    }

    function test_NothingWithoutItsSigner() public {
        (, uint256 stranger) = makeAddrAndKey("stranger");
        uint48 from = uint48(block.timestamp - 60);
        uint48 until = uint48(block.timestamp + 600);
        PackedUserOperation memory op = signed(PASSKEY, sponsoredBy(stranger, _work(), from, until));
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA34 signature error"));
        this.deliver(op);
        assertEq(sponsor.committed(until / 1 days), 0);
    }

    /// @notice What the sponsor has signed for one operation pays for no other: each field counts.
    function testFuzz_DataUsedAgain(uint8 field, uint256 change) public {
        PackedUserOperation memory op = sponsored(_work());
        change = bound(change, 1, 1e6);
        field = uint8(bound(field, 0, 5));
        if (field == 0) op.nonce = change << 64;
        else if (field == 1) op.callData = abi.encodePacked(op.callData, change);
        else if (field == 2) op.preVerificationGas += change;
        else if (field == 3) op.accountGasLimits = bytes32(uint256(op.accountGasLimits) + change);
        else if (field == 4) op.gasFees = bytes32(uint256(op.gasFees) + change);
        else op.initCode = abi.encodePacked(change);
        vm.prank(address(ENTRY_POINT));
        (, uint256 validation) = sponsor.validatePaymasterUserOp(op, 0, 1);
        assertEq(address(uint160(validation)), address(1));
    }

    function test_DataOfAnotherAccount() public {
        PackedUserOperation memory op = sponsored(_work());
        IPasskeyAccount other = accountOf(SECOND_PASSKEY);
        op.sender = address(other);
        op = signed(SECOND_PASSKEY, op);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA34 signature error"));
        this.deliver(op);
    }

    function test_DataOfAnotherChain() public {
        vm.chainId(84532);
        PackedUserOperation memory op = sponsored(_work());
        vm.chainId(31337);
        op = signed(PASSKEY, op);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA34 signature error"));
        this.deliver(op);
    }

    function test_SignatureRunsOut() public {
        PackedUserOperation memory op = signed(PASSKEY, sponsored(_work()));
        vm.warp(block.timestamp + 601);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA32 paymaster expired or not due"));
        this.deliver(op);
    }

    /// @notice A signer whose key has leaked cannot sign for more than an hour, nor without end.
    function testFuzz_ValidityIsBounded(uint48 validAfter, uint48 validUntil) public {
        PackedUserOperation memory op = sponsoredBy(sponsorKey, _work(), validAfter, validUntil);
        bool fine = validAfter != 0 && validUntil >= validAfter && validUntil - validAfter <= 1 hours;
        bool mixed = (validAfter ^ validUntil) >> 47 != 0;
        vm.prank(address(ENTRY_POINT));
        if (!fine && !mixed) {
            vm.expectRevert(abi.encodeWithSelector(SponsorPaymaster.ValidityTooLong.selector, validAfter, validUntil));
        }
        (, uint256 validation) = sponsor.validatePaymasterUserOp(op, 0, 1);
        if (mixed) assertEq(address(uint160(validation)), address(1));
    }

    function test_DearOperation() public {
        PackedUserOperation memory op = _work();
        op.preVerificationGas = 20_000_000;
        op = signed(PASSKEY, sponsored(op));
        vm.expectPartialRevert(IEntryPoint.FailedOpWithRevert.selector);
        this.deliver(op);
    }

    /// @notice Operations that fail cost a bounded part of the deposit, also those that a leaked key signs for.
    function test_FailingOperationsCannotDrain() public {
        target.setBroken();
        uint256 before = sponsorDeposit();
        uint256 sent;
        for (; sent < 100; ++sent) {
            PackedUserOperation memory op = signed(PASSKEY, sponsored(_work()));
            try this.deliver(op) {} catch {
                break;
            }
        }
        assertGt(sent, 3);
        assertLt(sent, 100);
        assertLe(before - sponsorDeposit(), 0.05 ether);
        // The next day has an allowance of its own.
        vm.warp(block.timestamp + 1 days);
        bundle(signed(PASSKEY, sponsored(_work())));
    }

    function test_DayUsedUp() public {
        uint256 day = (block.timestamp + 600) / 1 days;
        PackedUserOperation memory op = sponsored(_work());
        vm.startPrank(address(ENTRY_POINT));
        for (uint256 i = 0; i < 5; ++i) sponsor.validatePaymasterUserOp(op, 0, 0.01 ether);
        assertEq(sponsor.committed(day), 0.05 ether);
        vm.expectRevert(
            abi.encodeWithSelector(SponsorPaymaster.DayUsedUp.selector, 0.05 ether + 1, uint256(0.05 ether))
        );
        sponsor.validatePaymasterUserOp(op, 0, 1);
        vm.stopPrank();
    }

    function test_OnlyTheEntryPointAsks() public {
        PackedUserOperation memory op = sponsored(_work());
        vm.expectRevert(abi.encodeWithSelector(Paymaster.PaymasterUnauthorized.selector, address(this)));
        sponsor.validatePaymasterUserOp(op, 0, 1);
    }

    function test_OwnerSetsAndTakesBack() public {
        address next = makeAddr("next");
        vm.startPrank(sponsorOwner);
        vm.expectEmit(address(sponsor));
        emit SponsorPaymaster.LimitsSet(1, 2);
        sponsor.setLimits(SponsorPaymaster.Limits(1, 2));
        vm.expectEmit(address(sponsor));
        emit SponsorPaymaster.SignerSet(next);
        sponsor.setSigner(next);
        sponsor.withdraw(payable(next), 1 ether);
        vm.deal(sponsorOwner, 1 ether);
        sponsor.addStake{value: 1 ether}(1 days);
        sponsor.unlockStake();
        vm.warp(block.timestamp + 1 days);
        sponsor.withdrawStake(payable(next));
        vm.stopPrank();
        assertEq(next.balance, 2 ether);
        assertEq(sponsor.signer(), next);
        PackedUserOperation memory op = signed(PASSKEY, sponsored(_work()));
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA31 paymaster deposit too low"));
        this.deliver(op);
        sponsor.deposit{value: 1 ether}();
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA34 signature error"));
        this.deliver(op);
    }

    function test_NobodyElseDoes() public {
        bytes[] memory data = new bytes[](6);
        data[0] = abi.encodeCall(SponsorPaymaster.setLimits, (SponsorPaymaster.Limits(1, 2)));
        data[1] = abi.encodeCall(SponsorPaymaster.setSigner, (address(this)));
        data[2] = abi.encodeCall(SponsorPaymaster.withdraw, (payable(address(this)), 1));
        data[3] = abi.encodeCall(SponsorPaymaster.addStake, (1));
        data[4] = abi.encodeCall(SponsorPaymaster.unlockStake, ());
        data[5] = abi.encodeCall(SponsorPaymaster.withdrawStake, (payable(address(this))));
        for (uint256 i = 0; i < data.length; ++i) {
            (bool ok, bytes memory answer) = address(sponsor).call(data[i]);
            assertFalse(ok);
            assertEq(bytes4(answer), Ownable.OwnableUnauthorizedAccount.selector);
        }
    }

    /// @notice {bundle} as a call of its own, which can be expected to revert.
    function deliver(PackedUserOperation calldata op) external {
        bundle(op);
    }

    function _work() private view returns (PackedUserOperation memory) {
        return operation(address(account), call(address(target), abi.encodeCall(Target.work, ())));
    }
}
