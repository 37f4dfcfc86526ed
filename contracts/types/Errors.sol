// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Errors that several contracts revert with.

/// @notice The caller is not the module that may do this.
/// @param caller Who called.
error NotModule(address caller);

/// @notice The access manager's guardian has paused new tasks and new rounds.
error IntakePaused();

/// @notice Class that is not registered.
/// @param classId Id of the class.
error UnknownClass(uint8 classId);

/// @notice Content identifiers are raw bytes (0x55) or dag-pb (0x70).
/// @param codec Multicodec that was given.
error UnsupportedCodec(uint16 codec);

/// @notice The caller is not the developer who submitted the task.
/// @param taskId Id of the task.
/// @param caller Who called.
error NotTaskOwner(uint32 taskId, address caller);

/// @notice The oracle has not answered yet.
/// @param id Round or reassignment batch that waits for its seed.
error SeedPending(uint32 id);
