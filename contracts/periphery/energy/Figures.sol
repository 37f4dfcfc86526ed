// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BASIS} from "../../types/Units.sol";
import {IEnergyLedger} from "../../interfaces/IEnergyLedger.sol";

/// @title What an account's sums come to
library Figures {
    /// @dev Joules of a kilowatt-hour.
    uint256 private constant KWH = 3_600_000;

    /// @notice The account as people read it; everything that is rounded is rounded against the network's claims.
    function summarise(IEnergyLedger.Account memory a) internal pure returns (IEnergyLedger.Summary memory s) {
        s.raplJoules = a.raplJoules;
        s.nvmlJoules = a.nvmlJoules;
        s.estimatedJoules = a.estimatedJoules;
        s.joules = s.raplJoules + s.nvmlJoules + s.estimatedJoules;
        s.renewableJoules = a.renewableJoules;
        s.seconds_ = a.seconds_;
        s.averageWatts = a.seconds_ == 0 ? 0 : Math.ceilDiv(s.joules, a.seconds_);
        s.unitSeconds = a.unitSeconds;
        s.idleUnitSeconds = a.idleUnitSeconds;
        s.creditedUnits = a.creditedUnits;
        s.baselineJoules = a.baselineJoules;
        s.carbonMilligrams = Math.ceilDiv(a.carbon, KWH);
        s.baselineCarbonMilligrams = a.baselineCarbon / KWH;
        s.avoidedMilligrams = floorDiv(int256(uint256(a.baselineCarbon)) - int256(uint256(a.carbon)), KWH);
        s.efficiencyGainBps = gain(a.baselineJoules, s.joules);
        s.carbonReductionBps = gain(a.baselineCarbon, a.carbon);
        s.renewableBps = share(a.renewableJoules, s.joules);
        s.idleBps = share(a.idleUnitSeconds, a.unitSeconds);
    }

    /// @notice (baseline - used) / baseline in basis points, rounded down; 0 without a baseline.
    function gain(uint256 baseline, uint256 used) internal pure returns (int256) {
        if (baseline == 0) return 0;
        return floorDiv((int256(baseline) - int256(used)) * int256(BASIS), baseline);
    }

    /// @notice Part of a whole in basis points, rounded down; 0 of nothing.
    function share(uint256 part, uint256 whole) internal pure returns (uint256) {
        return whole == 0 ? 0 : (part * BASIS) / whole;
    }

    /// @notice Division that rounds towards minus infinity.
    function floorDiv(int256 value, uint256 by) internal pure returns (int256) {
        if (value >= 0) return int256(uint256(value) / by);
        return -int256(Math.ceilDiv(uint256(-value), by));
    }
}
