// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Halmos runs functions whose names begin with check_.
// solhint-disable func-name-mixedcase

import {ITelemetry} from "../../contracts/interfaces/ITelemetry.sol";
import {PackedUint32} from "../../contracts/libraries/PackedUint32.sol";
import {ReportStates} from "../../contracts/periphery/telemetry/ReportStates.sol";
import {ClassSet} from "../../contracts/types/ClassSet.sol";
import {Fill, toFill} from "../../contracts/types/Fill.sol";
import {Reporter} from "../../contracts/types/Reporter.sol";

/// @title What is packed comes out as it went in, and its neighbours stay; for all values
contract PackingProof {
    using ReportStates for ITelemetry.ReportState;
    using ReportStates for uint256;

    /// @notice A number that is set is read again, and each other one of the word is as before.
    function check_PackedUint32(uint256 word, uint256 at, uint32 value, uint256 other) external pure {
        uint256 changed = PackedUint32.set(word, at, value);
        assert(PackedUint32.get(changed, at) == value);
        if ((other & 7) != (at & 7)) assert(PackedUint32.get(changed, other) == PackedUint32.get(word, other));
    }

    /// @notice A fill keeps units, price and node.
    function check_Fill(uint32 granted, uint40 unitPrice, uint32 node) external pure {
        Fill fill = toFill(granted, unitPrice, node);
        assert(fill.nodeId() == node && fill.price() == unitPrice && fill.units() == granted);
    }

    /// @notice Each field of a reporter is replaced alone.
    function check_Reporter(Reporter r, address key, uint32 watts, uint24 units) external pure {
        Reporter changed = r.withOperator(key);
        assert(changed.operator() == key);
        assert(Reporter.unwrap(changed) >> 160 == Reporter.unwrap(r) >> 160);

        changed = r.withPowerMax(watts);
        assert(changed.powerMax() == watts);
        assert(changed.operator() == r.operator() && changed.keyNumber() == r.keyNumber());
        assert(changed.registeredAt() == r.registeredAt() && changed.capacity() == r.capacity());

        changed = r.withCapacity(units);
        assert(changed.capacity() == units);
        assert(Reporter.unwrap(changed) << 24 == Reporter.unwrap(r) << 24);
    }

    /// @notice The next key has the next number and changes nothing else, while there is a next number.
    function check_ReporterNextKey(Reporter r) external pure {
        if (r.keyNumber() == type(uint8).max) return;
        Reporter changed = r.withNextKey();
        assert(changed.keyNumber() == r.keyNumber() + 1);
        assert(changed.operator() == r.operator() && changed.powerMax() == r.powerMax());
        assert(changed.registeredAt() == r.registeredAt() && changed.capacity() == r.capacity());
    }

    /// @notice Each field of a report's state comes back.
    function check_ReportState(ITelemetry.ReportState memory s) external pure {
        ITelemetry.ReportState memory u = s.pack().unpack();
        assert(u.sequence == s.sequence && u.at == s.at && u.load == s.load && u.latency == s.latency);
        assert(u.watts == s.watts && u.previousWatts == s.previousWatts && u.capacity == s.capacity);
        assert(u.prepaid == s.prepaid && u.feeMicroVer == s.feeMicroVer);
        assert(u.throttled == s.throttled && u.counted == s.counted);
        assert(u.renewable == s.renewable && u.ineligible == s.ineligible);
    }

    /// @notice The short readers agree with {ReportStates.unpack}.
    function check_ReportStateReaders(uint256 word) external pure {
        ITelemetry.ReportState memory s = word.unpack();
        assert(word.sequenceOf() == s.sequence && word.atOf() == s.at && word.loadOf() == s.load);
        assert(word.wattsOf() == s.watts && word.capacityOf() == s.capacity);
        assert(word.prepaidOf() == s.prepaid && word.feeOf() == s.feeMicroVer);
        assert(word.isThrottled() == s.throttled && word.isCounted() == s.counted);
        assert(word.isRenewable() == s.renewable && word.isIneligible() == s.ineligible);
    }

    /// @notice A prepaid report less, an ineligible node: nothing else of the word changes.
    function check_ReportStateChanges(uint256 word, bool ineligible) external pure {
        uint256 changed = word.withIneligible(ineligible);
        assert(changed.isIneligible() == ineligible);
        assert((changed ^ word) & ~uint256(1 << 227) == 0);
        if (word.prepaidOf() == 0) return;
        changed = word.lessPrepaid();
        assert(changed.prepaidOf() == word.prepaidOf() - 1);
        assert((changed ^ word) & ~(uint256(type(uint24).max) << 184) == 0);
    }

    /// @notice A class is in a set after it was put in, and nothing else changes; the lowest is the first to go.
    function check_ClassSet(ClassSet set, uint8 classId, uint8 other) external pure {
        ClassSet more = set.withClass(classId);
        assert(more.has(classId));
        if (other != classId) assert(more.has(other) == set.has(other));
        ClassSet less = more.withoutFirst();
        if (less.has(other)) assert(more.has(other));
        assert(ClassSet.unwrap(more) & ~ClassSet.unwrap(less) & (ClassSet.unwrap(more) - 1) == 0 || !less.isEmpty());
    }
}
