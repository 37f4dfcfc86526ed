// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IParameters, Param} from "../interfaces/IParameters.sol";

/// @title Governed parameters
/// @notice See {IParameters}.
contract Parameters is IParameters, AccessManaged {
    mapping(Param param => Bounded) private _params;

    /// @inheritdoc IParameters
    bool public intakePaused;

    /// @param authority OpenZeppelin access manager that says who may set parameters, and with what delay.
    /// @param initial Value and hard bounds per parameter, in the order of {Param}.
    constructor(address authority, Bounded[] memory initial) AccessManaged(authority) {
        uint256 count = uint256(type(Param).max) + 1;
        require(initial.length == count, WrongParameterCount(initial.length, count));
        for (uint256 i; i < count; ++i) {
            Bounded memory b = initial[i];
            _check(Param(i), b.value, b.min, b.max);
            _params[Param(i)] = b;
            emit ParameterSet(Param(i), 0, b.value);
        }
        _checkPairs();
    }

    /// @inheritdoc IParameters
    function set(Param param, uint64 value) external restricted {
        Bounded storage b = _params[param];
        _check(param, value, b.min, b.max);
        emit ParameterSet(param, b.value, value);
        b.value = value;
        _checkPairs();
    }

    /// @inheritdoc IParameters
    function setIntakePaused(bool paused) external restricted {
        intakePaused = paused;
        emit IntakePausedSet(paused);
    }

    /// @inheritdoc IParameters
    function get(Param param) external view returns (uint256) {
        return _params[param].value;
    }

    /// @inheritdoc IParameters
    function bounded(Param param) external view returns (Bounded memory) {
        return _params[param];
    }

    /// @inheritdoc IParameters
    function all() external view returns (Bounded[] memory params) {
        uint256 count = uint256(type(Param).max) + 1;
        params = new Bounded[](count);
        for (uint256 i; i < count; ++i) params[i] = _params[Param(i)];
    }

    /// @dev What no bound of one parameter can say. Every value that the others allow is allowed.
    function _checkPairs() private view {
        // A node that reports on time is never silent, even if one report is lost; a lag fits the 16 bits kept of it.
        _atMost(2 * _value(Param.ReportInterval), Param.ReportInterval, Param.ReportTimeout);
        uint256 timeout = _value(Param.ReportTimeout);
        require(
            timeout <= type(uint16).max,
            ParameterOutOfBounds(Param.ReportTimeout, uint64(timeout), 0, type(uint16).max)
        );
        // After an outage everyone can report before anyone fails.
        _atMost(_value(Param.ReportInterval), Param.ReportInterval, Param.OutageGrace);
        _atMost(_value(Param.MinCheckpointInterval), Param.MinCheckpointInterval, Param.MaxCheckpointInterval);
        // A range that moved is not moved again before the first move is done.
        _atMost(_value(Param.MoveGrace), Param.MoveGrace, Param.MoveCooldown);
        // The stake under a unit pays for giving it back.
        _atMost(_value(Param.ReleaseFee) + _value(Param.ReleaseUnitFee), Param.ReleaseFee, Param.StakePerUnit);
        // A bar is not forgotten before it is over.
        _atMost(_value(Param.ReleaseBar), Param.ReleaseBar, Param.ReleaseMemory);
    }

    function _atMost(uint256 value, Param lower, Param higher) private view {
        uint256 limit = _value(higher);
        require(value <= limit, ParametersOutOfStep(lower, value, higher, limit));
    }

    function _value(Param param) private view returns (uint256) {
        return _params[param].value;
    }

    function _check(Param param, uint64 value, uint64 min, uint64 max) private pure {
        require(min <= value && value <= max, ParameterOutOfBounds(param, value, min, max));
    }
}
