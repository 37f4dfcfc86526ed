/** Time for which other nodes hold a paid lease's result after its delivery, seconds: its developer may come for it late. */
export const RESULT_RETENTION = 7 * 24 * 3600;
