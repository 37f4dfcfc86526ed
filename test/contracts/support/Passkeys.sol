// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";
import {IEntryPoint, IEntryPointStake, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {IPasskeyAccount} from "../../../contracts/interfaces/IPasskeyAccount.sol";
import {IPasskeyAccountFactory} from "../../../contracts/interfaces/IPasskeyAccountFactory.sol";
import {SponsorPaymaster} from "../../../contracts/accounts/SponsorPaymaster.sol";
import {Base} from "./Base.sol";

/// @dev What OpenZeppelin's interface of the entry point leaves out.
interface IEntryPointHash {
    function getUserOpHash(PackedUserOperation calldata userOp) external view returns (bytes32);
}

/// @title The real entry point, and people with passkeys who use it
abstract contract Passkeys is Base {
    /// @dev A call in a batch.
    struct Call {
        address target;
        uint256 value;
        bytes data;
    }

    IEntryPoint internal constant ENTRY_POINT = IEntryPoint(0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108);
    /// @dev The deployer of contracts at the same address on every chain, and the salt of the entry point.
    address private constant CREATE2_DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;
    bytes private constant CREATE2_CODE =
        hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";
    bytes32 private constant SALT = 0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9;
    string private constant ARTIFACT = "node_modules/@account-abstraction/contracts/artifacts/EntryPoint.json";
    /// @dev A batch in which a call that fails reverts all (ERC-7821).
    bytes32 internal constant BATCH = bytes32(bytes1(0x01));

    uint256 internal constant PASSKEY = 0xa11ce;
    uint256 internal constant SECOND_PASSKEY = 0xb0b;
    uint256 internal constant STRANGERS_PASSKEY = 0xdead;

    address internal bundler = makeAddr("bundler");
    IPasskeyAccountFactory internal factory;
    SponsorPaymaster internal sponsor;
    address internal sponsorOwner = makeAddr("sponsorOwner");
    address internal sponsorSigner;
    uint256 internal sponsorKey;

    function deployAccounts() internal {
        vm.etch(CREATE2_DEPLOYER, CREATE2_CODE);
        bytes memory code = vm.parseJsonBytes(vm.readFile(ARTIFACT), ".bytecode");
        (bool ok, ) = CREATE2_DEPLOYER.call(bytes.concat(SALT, code));
        require(ok && address(ENTRY_POINT).code.length > 0, "no entry point");
        (sponsorSigner, sponsorKey) = makeAddrAndKey("sponsorSigner");
        factory = IPasskeyAccountFactory(_create("PasskeyAccountFactory", ""));
        sponsor = SponsorPaymaster(
            _create(
                "SponsorPaymaster",
                abi.encode(sponsorOwner, sponsorSigner, SponsorPaymaster.Limits(0.01 ether, 0.05 ether))
            )
        );
        vm.deal(address(this), 100 ether);
        sponsor.deposit{value: 1 ether}();
    }

    function publicKey(uint256 key) internal pure returns (bytes32 x, bytes32 y) {
        (uint256 px, uint256 py) = vm.publicKeyP256(key);
        return (bytes32(px), bytes32(py));
    }

    /// @dev The account of a passkey, created.
    function accountOf(uint256 key) internal returns (IPasskeyAccount) {
        (bytes32 x, bytes32 y) = publicKey(key);
        return IPasskeyAccount(factory.create(x, y));
    }

    /// @dev What an authenticator answers to a challenge, its user present and verified, as the account wants it.
    function assertion(uint256 key, bytes32 challenge) internal pure returns (bytes memory) {
        return assertionWith(key, challenge, 0x05);
    }

    function assertionWith(uint256 key, bytes32 challenge, bytes1 flags) internal pure returns (bytes memory) {
        bytes memory authenticator = abi.encodePacked(sha256("localhost"), flags, uint32(0));
        // solhint-disable quotes
        string memory head = '{"type":"webauthn.get",';
        string memory client = string.concat(
            head,
            '"challenge":"',
            Base64.encodeURL(abi.encodePacked(challenge)),
            '","origin":"http://localhost:8547","crossOrigin":false}'
        );
        // solhint-enable quotes
        bytes32 digest = sha256(abi.encodePacked(authenticator, sha256(bytes(client))));
        (bytes32 r, bytes32 s) = vm.signP256(key, digest);
        // The curve's order: authenticators give either of the two signatures, the page hands on the lower one.
        uint256 n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
        if (uint256(s) > n / 2) s = bytes32(n - uint256(s));
        return abi.encode(r, s, bytes(head).length, uint256(1), authenticator, client);
    }

    /// @dev An operation that carries out a batch, not signed.
    function operation(address sender, Call[] memory calls) internal view returns (PackedUserOperation memory op) {
        op.sender = sender;
        op.nonce = ENTRY_POINT.getNonce(sender, 0);
        op.callData = abi.encodeCall(IERC7821.execute, (BATCH, abi.encode(calls)));
        // Without the precompiled contract for P-256 a check takes 300,000 gas.
        op.accountGasLimits = _pack(3_000_000, 1_000_000);
        op.preVerificationGas = 50_000;
        op.gasFees = _pack(1, 1 gwei);
    }

    function call(address target, bytes memory data) internal pure returns (Call[] memory calls) {
        calls = new Call[](1);
        calls[0] = Call(target, 0, data);
    }

    function signed(uint256 key, PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        op.signature = assertion(key, IEntryPointHash(address(ENTRY_POINT)).getUserOpHash(op));
        return op;
    }

    /// @dev Has the sponsor sign for it.
    function sponsored(PackedUserOperation memory op) internal view returns (PackedUserOperation memory) {
        return sponsoredBy(sponsorKey, op, uint48(block.timestamp - 60), uint48(block.timestamp + 600));
    }

    function sponsoredBy(
        uint256 key,
        PackedUserOperation memory op,
        uint48 validAfter,
        uint48 validUntil
    ) internal view returns (PackedUserOperation memory) {
        (uint128 verification, uint128 post) = (200_000, 1);
        bytes32 request = keccak256(
            abi.encode(
                keccak256(
                    "UserOperationRequest(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint256 paymasterVerificationGasLimit,uint256 paymasterPostOpGasLimit,uint48 validAfter,uint48 validUntil)"
                ),
                op.sender,
                op.nonce,
                keccak256(op.initCode),
                keccak256(op.callData),
                op.accountGasLimits,
                op.preVerificationGas,
                op.gasFees,
                verification,
                post,
                validAfter,
                validUntil
            )
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", _sponsorDomain(), request));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        op.paymasterAndData = abi.encodePacked(sponsor, verification, post, validAfter, validUntil, r, s, v);
        return op;
    }

    /// @dev Sends operations as a bundler does.
    function bundle(PackedUserOperation memory op) internal {
        PackedUserOperation[] memory ops = new PackedUserOperation[](1);
        ops[0] = op;
        vm.prank(bundler, bundler);
        ENTRY_POINT.handleOps(ops, payable(bundler));
    }

    /// @dev What is left of the sponsor's deposit, wei of ETH.
    function sponsorDeposit() internal view returns (uint256) {
        return IEntryPointStake(address(ENTRY_POINT)).balanceOf(address(sponsor));
    }

    function _sponsorDomain() private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                    keccak256("DRMP sponsor"),
                    keccak256("1"),
                    block.chainid,
                    address(sponsor)
                )
            );
    }

    function _pack(uint128 high, uint128 low) internal pure returns (bytes32) {
        return bytes32((uint256(high) << 128) | low);
    }

    function _create(string memory name, bytes memory arguments) private returns (address deployed) {
        bytes memory code = bytes.concat(vm.getCode(name), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), name);
    }
}
