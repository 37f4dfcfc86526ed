import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, useMemo } from "react";
import { Route, Router, Switch } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";

import { mayHelp } from "./api/queries.ts";
import { type Config, ConfigContext } from "./config.ts";
import { NetworkPage } from "./pages/network/network.tsx";
import { Boundary } from "./ui/boundary.tsx";
import { Layout } from "./ui/layout.tsx";
import { Page } from "./ui/page.tsx";
import { WalletProvider } from "./wallet/provider.tsx";

// Every page but the first is fetched when it is wanted.
const RoundsPage = lazy(() => import("./pages/rounds/rounds.tsx"));
const RoundPage = lazy(() => import("./pages/rounds/round.tsx"));
const TasksPage = lazy(() => import("./pages/tasks/tasks.tsx"));
const TaskPage = lazy(() => import("./pages/tasks/task.tsx"));
const NodesPage = lazy(() => import("./pages/nodes/nodes.tsx"));
const NodePage = lazy(() => import("./pages/nodes/node.tsx"));
const LeasePage = lazy(() => import("./pages/leases/lease.tsx"));
const BatchPage = lazy(() => import("./pages/leases/batch.tsx"));
const ClassPage = lazy(() => import("./pages/classes/class.tsx"));
const LeadersPage = lazy(() => import("./pages/leaders/leaders.tsx"));
const SearchPage = lazy(() => import("./pages/search/search.tsx"));
const AccountPage = lazy(() => import("./wallet/account-page.tsx"));

/** The application: what every page needs around it, and which page is where. */
export function App({ config }: { config: Config }) {
  const client = useMemo(
    () =>
      new QueryClient({
        defaultOptions: { queries: { retry: mayHelp, staleTime: 5_000, refetchOnWindowFocus: false } },
      }),
    [],
  );
  return (
    <ConfigContext value={config}>
      <WalletProvider config={config}>
        <QueryClientProvider client={client}>
          <Router hook={useHashLocation}>
            <Layout>
              <Boundary>
                <Switch>
                  <Route path="/" component={NetworkPage} />
                  <Route path="/rounds" component={RoundsPage} />
                  <Route path="/rounds/:id" component={RoundPage} />
                  <Route path="/tasks" component={TasksPage} />
                  <Route path="/tasks/:id" component={TaskPage} />
                  <Route path="/nodes" component={NodesPage} />
                  <Route path="/nodes/:id" component={NodePage} />
                  <Route path="/leases/:id" component={LeasePage} />
                  <Route path="/batches/:id" component={BatchPage} />
                  <Route path="/classes/:id" component={ClassPage} />
                  <Route path="/leaders" component={LeadersPage} />
                  <Route path="/search/:q" component={SearchPage} />
                  <Route path="/account/*?" component={AccountPage} />
                  <Route>
                    <Page title="There is no such page" asOf={undefined}>
                      <p>Look at the address, or go on from the network.</p>
                    </Page>
                  </Route>
                </Switch>
              </Boundary>
            </Layout>
          </Router>
        </QueryClientProvider>
      </WalletProvider>
    </ConfigContext>
  );
}
