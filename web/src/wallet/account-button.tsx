/** Place of the connected account in the header. */
export function AccountButton() {
  return null;
}
