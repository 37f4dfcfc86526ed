// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IAccount, IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IPasskeyAccount} from "../../../contracts/interfaces/IPasskeyAccount.sol";
import {IPasskeyAccountFactory} from "../../../contracts/interfaces/IPasskeyAccountFactory.sol";
import {Passkeys} from "../support/Passkeys.sol";

/// @dev What the contracts have beside their interfaces.
interface IWhole {
    error AccountUnauthorized(address sender);

    function entryPoint() external view returns (IEntryPoint);
    // solhint-disable-next-line func-name-mixedcase
    function IMPLEMENTATION() external view returns (IPasskeyAccount);
}

/// @dev Counts who has called it.
contract Counter {
    mapping(address caller => uint256 calls) public calls;

    function count() external {
        ++calls[msg.sender];
    }

    function fail() external pure {
        revert("no");
    }
}

/// @title Accounts whose keys are passkeys
contract PasskeyAccountTest is Passkeys {
    IPasskeyAccount private account;
    Counter private counter;
    address private rescuer = makeAddr("rescuer");

    function setUp() public {
        vm.warp(1_800_000_000);
        deployAccounts();
        account = accountOf(PASSKEY);
        counter = new Counter();
    }

    function test_CreatedAtTheAddressOfItsKey() public {
        (bytes32 x, bytes32 y) = publicKey(SECOND_PASSKEY);
        address at = factory.accountOf(x, y);
        assertEq(at.code.length, 0);
        vm.expectEmit(address(factory));
        emit IPasskeyAccountFactory.AccountCreated(at, x, y);
        assertEq(factory.create(x, y), at);
        // Again, it is there and stays what it is.
        assertEq(factory.create(x, y), at);
        IPasskeyAccount.Key[] memory keys = IPasskeyAccount(at).keys();
        assertEq(keys.length, 1);
        assertEq(keys[0].x, x);
        assertEq(keys[0].y, y);
        assertEq(address(IWhole(address(account)).entryPoint()), address(ENTRY_POINT));
    }

    function test_InitialisedOnce() public {
        (bytes32 x, bytes32 y) = publicKey(STRANGERS_PASSKEY);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        account.initialize(x, y);
        IPasskeyAccount implementation = IWhole(address(factory)).IMPLEMENTATION();
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialize(x, y);
        assertEq(implementation.keys().length, 0);
    }

    function test_KeyIsOnTheCurve() public {
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.InvalidKey.selector, bytes32(0), bytes32(0)));
        factory.create(0, 0);
        (bytes32 x, ) = publicKey(PASSKEY);
        vm.expectPartialRevert(IPasskeyAccount.InvalidKey.selector);
        factory.create(x, x);
    }

    function test_FirstOperationCreatesTheAccount() public {
        (bytes32 x, bytes32 y) = publicKey(SECOND_PASSKEY);
        address at = factory.accountOf(x, y);
        PackedUserOperation memory op = operation(at, call(address(counter), abi.encodeCall(Counter.count, ())));
        op.initCode = abi.encodePacked(factory, abi.encodeCall(IPasskeyAccountFactory.create, (x, y)));
        bundle(signed(SECOND_PASSKEY, sponsored(op)));
        assertEq(counter.calls(at), 1);
    }

    function test_BatchIsAllOrNothing() public {
        Call[] memory calls = new Call[](2);
        calls[0] = Call(address(counter), 0, abi.encodeCall(Counter.count, ()));
        calls[1] = Call(address(counter), 0, abi.encodeCall(Counter.fail, ()));
        bundle(signed(PASSKEY, sponsored(operation(address(account), calls))));
        assertEq(counter.calls(address(account)), 0);
        calls[1].data = calls[0].data;
        bundle(signed(PASSKEY, sponsored(operation(address(account), calls))));
        assertEq(counter.calls(address(account)), 2);
    }

    function test_PaysForItselfWithoutASponsor() public {
        vm.deal(address(account), 1 ether);
        bundle(signed(PASSKEY, operation(address(account), _count())));
        assertEq(counter.calls(address(account)), 1);
        assertLt(address(account).balance, 1 ether);
    }

    function test_AnotherPasskeyCannotSign() public {
        PackedUserOperation memory op = signed(STRANGERS_PASSKEY, sponsored(operation(address(account), _count())));
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
        this.deliver(op);
    }

    function test_DeviceMustHaveVerifiedItsUser() public {
        PackedUserOperation memory op = sponsored(operation(address(account), _count()));
        op.signature = assertionWith(PASSKEY, _hash(op), 0x01);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
        this.deliver(op);
    }

    /// @notice Whatever comes instead of a signature is refused, and never reverts.
    function testFuzz_AnythingElseIsNoSignature(bytes calldata signature, bytes32 hash) public view {
        assertEq(IERC1271(address(account)).isValidSignature(hash, signature), bytes4(0xffffffff));
    }

    /// @notice A signature of one operation does for no other one.
    function testFuzz_SignatureHoldsForOneOperation(uint256 nonce, bytes calldata data) public {
        PackedUserOperation memory op = signed(PASSKEY, sponsored(operation(address(account), _count())));
        bytes32 was = _hash(op);
        vm.prank(address(ENTRY_POINT));
        assertEq(IAccount(address(account)).validateUserOp(op, was, 0), 0);
        (op.nonce, op.callData) = (nonce, data);
        vm.assume(_hash(op) != was);
        bytes32 now_ = _hash(op);
        vm.prank(address(ENTRY_POINT));
        assertEq(IAccount(address(account)).validateUserOp(op, now_, 0), 1);
    }

    function test_SentTwice() public {
        PackedUserOperation memory op = signed(PASSKEY, sponsored(operation(address(account), _count())));
        bundle(op);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA25 invalid account nonce"));
        this.deliver(op);
        assertEq(counter.calls(address(account)), 1);
    }

    function test_SignatureOfAnotherChain() public {
        vm.deal(address(account), 1 ether);
        vm.chainId(84532);
        PackedUserOperation memory op = signed(PASSKEY, operation(address(account), _count()));
        vm.chainId(31337);
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
        this.deliver(op);
    }

    function test_OnlyEntryPointAndItselfCarryOut() public {
        bytes memory calls = abi.encode(_count());
        vm.expectRevert(abi.encodeWithSelector(IWhole.AccountUnauthorized.selector, address(this)));
        IERC7821(address(account)).execute(BATCH, calls);
        (bytes32 x, bytes32 y) = publicKey(STRANGERS_PASSKEY);
        bytes[] memory data = new bytes[](4);
        data[0] = abi.encodeCall(IPasskeyAccount.addKey, (x, y));
        data[1] = abi.encodeCall(IPasskeyAccount.removeKey, (x, y));
        data[2] = abi.encodeCall(IPasskeyAccount.setRecoveryWallet, (address(this), 1 days));
        data[3] = abi.encodeCall(IPasskeyAccount.cancelRecovery, ());
        for (uint256 i = 0; i < data.length; ++i) {
            (bool ok, bytes memory answer) = address(account).call(data[i]);
            assertFalse(ok);
            assertEq(bytes4(answer), IWhole.AccountUnauthorized.selector);
        }
    }

    function test_SecondPasskey() public {
        (bytes32 x, bytes32 y) = publicKey(SECOND_PASSKEY);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.KeyAdded(x, y);
        _act(PASSKEY, abi.encodeCall(IPasskeyAccount.addKey, (x, y)));
        bundle(signed(SECOND_PASSKEY, sponsored(operation(address(account), _count()))));
        assertEq(counter.calls(address(account)), 1);
        // The first one is lost: the second one removes it.
        (bytes32 lostX, bytes32 lostY) = publicKey(PASSKEY);
        _act(SECOND_PASSKEY, abi.encodeCall(IPasskeyAccount.removeKey, (lostX, lostY)));
        assertEq(account.keys().length, 1);
        PackedUserOperation memory op = signed(PASSKEY, sponsored(operation(address(account), _count())));
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
        this.deliver(op);
    }

    function test_KeysAreBoundedAndDiffer() public {
        (bytes32 x, bytes32 y) = publicKey(PASSKEY);
        vm.startPrank(address(account));
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.KeyKnown.selector, x, y));
        account.addKey(x, y);
        vm.expectRevert(IPasskeyAccount.LastKey.selector);
        account.removeKey(x, y);
        for (uint256 i = 1; i < 4; ++i) {
            (x, y) = publicKey(i);
            account.addKey(x, y);
        }
        (x, y) = publicKey(4);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.TooManyPasskeys.selector, 4));
        account.addKey(x, y);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.KeyUnknown.selector, x, y));
        account.removeKey(x, y);
        (x, y) = publicKey(1);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.KeyRemoved(x, y);
        account.removeKey(x, y);
        assertEq(account.keys().length, 3);
        vm.stopPrank();
        // Also the last of four keys is tried.
        bundle(signed(3, sponsored(operation(address(account), _count()))));
        assertEq(counter.calls(address(account)), 1);
    }

    function test_RecoveryReplacesLostKeys() public {
        vm.expectEmit(address(account));
        emit IPasskeyAccount.RecoveryWalletSet(rescuer, 3 days);
        _act(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecoveryWallet, (rescuer, 3 days)));
        (bytes32 x, bytes32 y) = publicKey(SECOND_PASSKEY);
        uint40 ready = uint40(block.timestamp + 3 days);
        vm.startPrank(rescuer);
        vm.expectRevert(IPasskeyAccount.NoRecovery.selector);
        account.finishRecovery();
        vm.expectEmit(address(account));
        emit IPasskeyAccount.RecoveryStarted(x, y, ready);
        account.startRecovery(x, y);
        assertEq(account.recoveryKey().x, x);
        vm.warp(ready - 1);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.RecoveryNotReady.selector, ready));
        account.finishRecovery();
        vm.warp(ready);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.RecoveryFinished(x, y);
        account.finishRecovery();
        vm.expectRevert(IPasskeyAccount.NoRecovery.selector);
        account.finishRecovery();
        vm.stopPrank();
        assertEq(account.keys().length, 1);
        assertEq(account.keys()[0].y, y);
        bundle(signed(SECOND_PASSKEY, sponsored(operation(address(account), _count()))));
        PackedUserOperation memory op = signed(PASSKEY, sponsored(operation(address(account), _count())));
        vm.expectRevert(abi.encodeWithSelector(IEntryPoint.FailedOp.selector, 0, "AA24 signature error"));
        this.deliver(op);
    }

    function test_OwnerStopsARecovery() public {
        _act(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecoveryWallet, (rescuer, 1 days)));
        (bytes32 x, bytes32 y) = publicKey(STRANGERS_PASSKEY);
        vm.prank(rescuer);
        account.startRecovery(x, y);
        vm.expectEmit(address(account));
        emit IPasskeyAccount.RecoveryCancelled();
        _act(PASSKEY, abi.encodeCall(IPasskeyAccount.cancelRecovery, ()));
        assertEq(account.recoveryReadyAt(), 0);
        assertEq(account.recoveryKey().x, 0);
        // It tries again; naming another wallet ends that as well.
        vm.prank(rescuer);
        account.startRecovery(x, y);
        _act(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecoveryWallet, (address(0), 1 days)));
        vm.warp(block.timestamp + 30 days);
        vm.startPrank(rescuer);
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NotRecoveryWallet.selector, rescuer));
        account.finishRecovery();
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.NotRecoveryWallet.selector, rescuer));
        account.startRecovery(x, y);
        vm.stopPrank();
        vm.startPrank(address(account));
        vm.expectRevert(IPasskeyAccount.NoRecovery.selector);
        account.cancelRecovery();
        vm.stopPrank();
    }

    /// @notice A recovery wallet that changes its mind waits again: the owner always has the whole delay.
    function test_ChangedRecoveryWaitsAgain() public {
        _act(PASSKEY, abi.encodeCall(IPasskeyAccount.setRecoveryWallet, (rescuer, 2 days)));
        (bytes32 x, bytes32 y) = publicKey(SECOND_PASSKEY);
        vm.prank(rescuer);
        account.startRecovery(x, y);
        vm.warp(block.timestamp + 2 days);
        (x, y) = publicKey(STRANGERS_PASSKEY);
        vm.startPrank(rescuer);
        account.startRecovery(x, y);
        vm.expectRevert(
            abi.encodeWithSelector(IPasskeyAccount.RecoveryNotReady.selector, uint40(block.timestamp + 2 days))
        );
        account.finishRecovery();
        vm.expectRevert(abi.encodeWithSelector(IPasskeyAccount.InvalidKey.selector, x, x));
        account.startRecovery(x, x);
        vm.stopPrank();
    }

    function test_RecoveryWalletAndItsDelayAreBounded() public {
        vm.startPrank(address(account));
        vm.expectRevert(IPasskeyAccount.RecoveryWalletIsAccount.selector);
        account.setRecoveryWallet(address(account), 1 days);
        vm.expectPartialRevert(IPasskeyAccount.RecoveryDelayOutOfBounds.selector);
        account.setRecoveryWallet(rescuer, 1 days - 1);
        vm.expectPartialRevert(IPasskeyAccount.RecoveryDelayOutOfBounds.selector);
        account.setRecoveryWallet(rescuer, 30 days + 1);
        account.setRecoveryWallet(rescuer, 30 days);
        vm.stopPrank();
        assertEq(account.recoveryWallet(), rescuer);
        assertEq(account.recoveryDelay(), 30 days);
    }

    /// @notice A message that one account has signed (ERC-1271 by ERC-7739) does not count for another account of the same
    /// passkey, nor does the bare hash.
    function test_SignedMessageIsOfOneAccount() public {
        bytes32 hash = keccak256("a message");
        bytes memory signature = assertion(PASSKEY, _personal(address(account), hash));
        assertEq(IERC1271(address(account)).isValidSignature(hash, signature), IERC1271.isValidSignature.selector);
        assertEq(IERC1271(address(account)).isValidSignature(hash, assertion(PASSKEY, hash)), bytes4(0xffffffff));
        IPasskeyAccount other = accountOf(SECOND_PASSKEY);
        (bytes32 x, bytes32 y) = publicKey(PASSKEY);
        vm.prank(address(other));
        other.addKey(x, y);
        assertEq(IERC1271(address(other)).isValidSignature(hash, signature), bytes4(0xffffffff));
    }

    function test_Sizes() public view {
        assertLe(address(IWhole(address(factory)).IMPLEMENTATION()).code.length, uint256(24_576 * 9) / 10);
        assertLe(address(factory).code.length, uint256(24_576 * 9) / 10);
        assertLe(address(sponsor).code.length, uint256(24_576 * 9) / 10);
    }

    /// @notice {bundle} as a call of its own, which can be expected to revert.
    function deliver(PackedUserOperation calldata op) external {
        bundle(op);
    }

    function _count() private view returns (Call[] memory) {
        return call(address(counter), abi.encodeCall(Counter.count, ()));
    }

    /// @dev The account does something to itself.
    function _act(uint256 key, bytes memory data) private {
        bundle(signed(key, sponsored(operation(address(account), call(address(account), data)))));
    }

    function _hash(PackedUserOperation memory op) private view returns (bytes32) {
        (, bytes memory answer) = address(ENTRY_POINT).staticcall(
            abi.encodeWithSignature(
                "getUserOpHash((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes))",
                op
            )
        );
        return abi.decode(answer, (bytes32));
    }

    /// @dev What is signed for a message by ERC-7739's personal way.
    function _personal(address who, bytes32 hash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DRMP passkey account"),
                keccak256("1"),
                block.chainid,
                who
            )
        );
        bytes32 content = keccak256(abi.encode(keccak256("PersonalSign(bytes prefixed)"), hash));
        return keccak256(abi.encodePacked("\x19\x01", domain, content));
    }
}
