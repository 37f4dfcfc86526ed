/** Protocol by which agents send their signed reports to keepers over the checkpoint network. */
export const REPORT_PROTOCOL = "/drmp/report/1";
