/** Highest number of a checkpoint. Apart from `checkpoints.ts`, which reads files: the schema of specs also runs in browsers. */
export const MAX_CHECKPOINT_NUMBER = 999_999_999;
