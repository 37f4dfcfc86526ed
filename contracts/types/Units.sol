// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev Money is kept on chain in whole micro-VER (1e12 wei) wherever it is a *price*, so that every price, even
/// scaled by {DITHER}, is an integer that a double represents exactly and any off-chain solver can be trusted with.
uint256 constant PRICE_UNIT = 1e12;

/// @dev A price fits 40 bits of micro-VER (about 1.1 million VER a unit); 2^40 x 1024 stays below 2^53.
uint256 constant MAX_PRICE = type(uint40).max;

/// @dev Prices are scaled by this factor inside a round, which leaves room below one price unit for the seed's dither.
uint256 constant DITHER = 1024;

/// @dev Levels of price of a class: an ask is tick x tick size with tick in [0, TICKS).
uint256 constant TICKS = 4096;

/// @dev A task has at most this many units; unit indices and counts fit 24 bits.
uint256 constant MAX_UNITS = 1 << 20;

/// @dev Class ids fit a byte, so that the set of classes that a task accepts is one word.
uint256 constant MAX_CLASSES = 256;

/// @dev Maximum number of classes that one task may accept; bounds the work per task in a round.
uint256 constant MAX_TASK_CLASSES = 16;

/// @dev Multicodec codes that a content identifier may carry on chain: raw bytes and dag-pb (UnixFS).
uint16 constant CODEC_RAW = 0x55;
uint16 constant CODEC_DAG_PB = 0x70;

/// @dev Maximum number of classes of all tasks of a round together; bounds the gas of its settlement, whatever the number of classes.
uint256 constant MAX_ROUND_CLASSES = 64;

/// @dev A range has at most this many leases, one after another, of any nodes: what bounds the walk along a line.
uint256 constant MAX_LINE = 64;

/// @dev A lease moves only while its range has had at most this many leases, so that moves leave room for failures.
uint256 constant MAX_MOVED_LINE = 32;

/// @dev Longest time that a task may give a unit, seconds: about 194 days, what 24 bits hold.
uint256 constant MAX_UNIT_TIME = type(uint24).max;

/// @dev Maximum number of receipts of other nodes that a task may ask for, and that a checkpoint may carry.
uint256 constant MAX_REPLICAS = 4;

/// @dev Maximum chance of an audit that a task can ask for, basis points.
uint256 constant MAX_AUDIT_CHANCE = 5_000;

/// @dev 100 % in basis points.
uint256 constant BASIS = 10_000;

/// @dev Maximum power that a unit of capacity can possibly draw, watts: above any machine that is one unit (a server of
/// eight accelerators takes about 10 kW). It keeps a node from reporting energies that would outgrow the sums.
uint256 constant MAX_UNIT_POWER = 20_000;

/// @dev Gas that a single step of upkeep (a task parked or enqueued, a listing brought up to date) can take, with room: loops
/// of upkeep go on while more than this is left.
uint256 constant UPKEEP_STEP_GAS = 500_000;
