import { Page } from "../ui/page.tsx";

/** What an account owns and may do. */
export default function AccountPage() {
  return (
    <Page title="Account" asOf={undefined}>
      <p className="soft">No wallet is connected.</p>
    </Page>
  );
}
