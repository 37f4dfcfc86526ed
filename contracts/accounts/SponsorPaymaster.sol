// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {PaymasterSigner} from "@openzeppelin/contracts/account/paymaster/extensions/PaymasterSigner.sol";
import {ERC4337Utils} from "@openzeppelin/contracts/account/utils/ERC4337Utils.sol";
import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";

/// @title Pays the gas of operations that a sponsor has signed for
/// @notice An ERC-4337 paymaster (EntryPoint 0.8). What it pays for is decided off chain by the holder of the signer's
/// key; the contract bounds what a leaked key can cost: so much an operation, so much a day, and never more than was
/// deposited. A signature holds for one operation of one account, for an hour at most, on one chain.
contract SponsorPaymaster is PaymasterSigner, SignerECDSA, Ownable2Step {
    /// @notice What it pays at most.
    struct Limits {
        /// For one operation, wei of ETH.
        uint128 perOperation;
        /// For all operations of a day, wei of ETH.
        uint128 perDay;
    }

    /// @notice Longest time that a signature holds, seconds.
    uint256 public constant MAX_VALIDITY = 1 hours;

    /// @notice What it pays at most.
    Limits public limits;
    /// @notice What the operations of a day could cost at most, wei of ETH, by the number of the day since 1970 in which
    /// their signatures run out.
    mapping(uint256 day => uint256 wei_) public committed;

    /// @notice The key that says what is paid for was named.
    /// @param signer Its address.
    event SignerSet(address indexed signer);
    /// @notice The limits were set.
    /// @param perOperation For one operation, wei of ETH.
    /// @param perDay For all operations of a day, wei of ETH.
    event LimitsSet(uint128 perOperation, uint128 perDay);
    /// @notice An operation is paid for.
    /// @param account Whose it is.
    /// @param day Day that it counts for.
    /// @param maxCost What it can cost at most, wei of ETH.
    event OperationSponsored(address indexed account, uint256 indexed day, uint256 maxCost);

    /// @notice The operation can cost more than is paid for one.
    /// @param maxCost What it can cost at most, wei of ETH.
    /// @param limit What is paid for one, wei of ETH.
    error OperationTooDear(uint256 maxCost, uint256 limit);
    /// @notice What is paid in a day is used up.
    /// @param committed What the operations of the day can cost with this one, wei of ETH.
    /// @param limit What is paid in a day, wei of ETH.
    error DayUsedUp(uint256 committed, uint256 limit);
    /// @notice The signature holds without end, or longer than {MAX_VALIDITY}.
    /// @param validAfter From when on, seconds.
    /// @param validUntil Until when, seconds.
    error ValidityTooLong(uint48 validAfter, uint48 validUntil);

    /// @param owner_ Sets signer and limits, and withdraws.
    /// @param signer_ The key that says what is paid for.
    /// @param limits_ What it pays at most.
    constructor(
        address owner_,
        address signer_,
        Limits memory limits_
    ) EIP712("DRMP sponsor", "1") SignerECDSA(signer_) Ownable(owner_) {
        emit SignerSet(signer_);
        _setLimits(limits_);
    }

    /// @notice Adds ETH to what pays for operations. Open to anyone.
    /// @dev Warning: what anyone adds belongs to the owner.
    function deposit() external payable {
        _deposit(msg.value);
    }

    /// @notice Takes ETH back. Owner only.
    /// @param to Who gets it.
    /// @param amount Amount, wei of ETH.
    function withdraw(address payable to, uint256 amount) external onlyOwner {
        _withdraw(to, amount);
    }

    /// @notice Locks ETH as the stake that public bundlers ask of a paymaster with storage of its own. Owner only.
    /// @param unstakeDelay Time between {unlockStake} and {withdrawStake}, seconds.
    function addStake(uint32 unstakeDelay) external payable onlyOwner {
        _addStake(msg.value, unstakeDelay);
    }

    /// @notice Begins to unlock the stake. Owner only.
    function unlockStake() external onlyOwner {
        _unlockStake();
    }

    /// @notice Takes the unlocked stake back. Owner only.
    /// @param to Who gets it.
    function withdrawStake(address payable to) external onlyOwner {
        _withdrawStake(to);
    }

    /// @notice Names another signer: what the one before has signed no longer counts. Owner only.
    /// @param signer_ The key that says what is paid for.
    function setSigner(address signer_) external onlyOwner {
        _setSigner(signer_);
        emit SignerSet(signer_);
    }

    /// @notice Sets what is paid at most. Owner only.
    /// @param limits_ What it pays at most.
    function setLimits(Limits calldata limits_) external onlyOwner {
        _setLimits(limits_);
    }

    /// @notice The entry point whose operations it pays for: version 0.8, at the address that it has on every chain.
    function entryPoint() public pure override returns (IEntryPoint) {
        return ERC4337Utils.ENTRYPOINT_V08;
    }

    /// @dev Counts what the operation can cost at most, not what it did: a bound for sure, without a call afterwards. The day
    /// is that in which the signature runs out: bundlers simulate without the time, and since a signature holds for
    /// {MAX_VALIDITY} at most, nothing is paid more than an hour before the day for which it counts.
    function _validatePaymasterUserOp(
        PackedUserOperation calldata userOp,
        bytes32 userOpHash,
        uint256 maxCost
    ) internal override returns (bytes memory context, uint256 validationData) {
        (context, validationData) = super._validatePaymasterUserOp(userOp, userOpHash, maxCost);
        // The entry point refuses it; nothing is to be counted.
        if (address(uint160(validationData)) != address(0)) return (context, validationData);
        (uint48 validAfter, uint48 validUntil, ) = _decodePaymasterUserOp(userOp);
        require(
            validUntil >= validAfter && validUntil - validAfter <= MAX_VALIDITY && validAfter != 0,
            ValidityTooLong(validAfter, validUntil)
        );
        Limits memory most = limits;
        require(maxCost <= most.perOperation, OperationTooDear(maxCost, most.perOperation));
        uint256 day = validUntil / 1 days;
        uint256 sum = committed[day] + maxCost;
        require(sum <= most.perDay, DayUsedUp(sum, most.perDay));
        committed[day] = sum;
        emit OperationSponsored(userOp.sender, day, maxCost);
    }

    function _setLimits(Limits memory limits_) private {
        limits = limits_;
        emit LimitsSet(limits_.perOperation, limits_.perDay);
    }
}
