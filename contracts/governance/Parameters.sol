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
    }

    /// @inheritdoc IParameters
    function set(Param param, uint64 value) external restricted {
        Bounded storage b = _params[param];
        _check(param, value, b.min, b.max);
        emit ParameterSet(param, b.value, value);
        b.value = value;
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

    function _check(Param param, uint64 value, uint64 min, uint64 max) private pure {
        require(min <= value && value <= max, ParameterOutOfBounds(param, value, min, max));
    }
}
