// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IParameters, Param} from "../../interfaces/IParameters.sol";
import {ITaskRegistry} from "../../interfaces/ITaskRegistry.sol";
import {UnsupportedCodec} from "../../types/Errors.sol";
import {
    BASIS,
    CODEC_DAG_PB,
    CODEC_RAW,
    MAX_AUDIT_CHANCE,
    MAX_PRICE,
    MAX_REPLICAS,
    MAX_TASK_CLASSES,
    MAX_UNIT_TIME,
    MAX_UNITS,
    PRICE_UNIT
} from "../../types/Units.sol";

/// @title What a task may ask for, and what it costs at most
library TaskTerms {
    /// @notice Reverts if a submission is outside what tasks may ask for.
    /// @param parameters Bounds of intervals and of the deadline.
    function check(ITaskRegistry.Submission calldata s, IParameters parameters) internal view {
        require(s.specDigest != bytes32(0), ITaskRegistry.InvalidSpec());
        require(s.specCodec == CODEC_RAW || s.specCodec == CODEC_DAG_PB, UnsupportedCodec(s.specCodec));
        require(s.replicas <= MAX_REPLICAS, ITaskRegistry.TooManyReplicas(s.replicas, MAX_REPLICAS));
        require(s.auditChance <= MAX_AUDIT_CHANCE, ITaskRegistry.AuditChanceTooHigh(s.auditChance, MAX_AUDIT_CHANCE));
        require(s.units != 0, ITaskRegistry.NoUnits());
        require(s.units <= MAX_UNITS, ITaskRegistry.TooManyUnits(s.units, MAX_UNITS));
        require(microVer(s.maxPrice) != 0, ITaskRegistry.PriceIsZero());
        uint256 count = s.classIds.length;
        require(count != 0, ITaskRegistry.NoClasses());
        require(count <= MAX_TASK_CLASSES, ITaskRegistry.TooManyClasses(count, MAX_TASK_CLASSES));
        require(
            s.surcharges.length == 0 || s.surcharges.length == count,
            ITaskRegistry.SurchargeCountMismatch(count, s.surcharges.length)
        );
        uint256 min = parameters.get(Param.MinCheckpointInterval);
        uint256 max = parameters.get(Param.MaxCheckpointInterval);
        require(
            s.checkpointInterval >= min && s.checkpointInterval <= max,
            ITaskRegistry.IntervalOutOfBounds(s.checkpointInterval, min, max)
        );
        require(
            s.maxUnitTime >= s.checkpointInterval && s.maxUnitTime <= MAX_UNIT_TIME,
            ITaskRegistry.UnitTimeOutOfBounds(s.maxUnitTime, s.checkpointInterval, MAX_UNIT_TIME)
        );
        uint256 earliest = block.timestamp + parameters.get(Param.MinLeaseTime);
        require(s.deadline >= earliest, ITaskRegistry.DeadlineTooSoon(s.deadline, earliest));
        uint256 latest = block.timestamp + parameters.get(Param.MaxTaskTime);
        require(s.deadline <= latest, ITaskRegistry.DeadlineTooLate(s.deadline, latest));
    }

    /// @notice Fee of a task, basis points: no less than what audits of its work cost. A verifier is paid one and a half times the
    /// price of what it does again.
    /// @param feeBps {Param.FeeBps}.
    /// @param auditChance Chance that the task asks for, basis points.
    function feeFor(uint256 feeBps, uint256 auditChance) internal pure returns (uint256) {
        return Math.max(feeBps, Math.ceilDiv(3 * auditChance, 2));
    }

    /// @notice Whole micro-VER of a price in wei.
    function microVer(uint256 price) internal pure returns (uint256) {
        require(price % PRICE_UNIT == 0, ITaskRegistry.PriceNotOnGrid(price, PRICE_UNIT));
        require(price <= MAX_PRICE * PRICE_UNIT, ITaskRegistry.PriceTooHigh(price, MAX_PRICE * PRICE_UNIT));
        return price / PRICE_UNIT;
    }

    /// @notice The half of the fee that falls due at once: at the first lease, or at payment. Exact, for prices are whole
    /// micro-VER.
    function halfFee(uint256 amount, uint256 feeBps) internal pure returns (uint256) {
        return (amount * feeBps) / (2 * BASIS);
    }

    /// @notice What `units` can cost at most.
    function escrowFor(uint256 units, uint256 maxPrice, uint256 feeBps) internal pure returns (uint256) {
        return units * (maxPrice + Math.ceilDiv(maxPrice * feeBps, BASIS));
    }
}
