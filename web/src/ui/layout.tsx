import { type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";

import { useLive } from "../api/live.ts";
import { useConfig } from "../config.ts";
import { AccountButton } from "../wallet/account-button.tsx";
import { foreign } from "./format.ts";
import { ThemeButton } from "./theme.tsx";

const PAGES = [
  ["/", "Network"],
  ["/rounds", "Rounds"],
  ["/tasks", "Tasks"],
  ["/nodes", "Nodes"],
  ["/leaders", "Leaders"],
  ["/account", "Account"],
] as const;

/** Everything around a page: where to go, search, colours, account, and whom to trust. */
export function Layout({ children }: { children: ReactNode }) {
  const { network, indexerUrl, rpcUrl, chainId } = useConfig();
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(location);
  useLive();
  useEffect(() => {
    // A new page begins at its top, also for those who do not look at it.
    if (before.current === location) return;
    before.current = location;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [location]);
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the page
      </a>
      <header className="top">
        <div className="top-inner">
          <Link href="/" className="brand">
            <img src="./icon.svg" alt="" width="26" height="26" />
            DRMP <span className="soft small">{foreign(network, 30)}</span>
          </Link>
          <nav className="nav" aria-label="Pages">
            {PAGES.map(([path, title]) => (
              <Link key={path} href={path} aria-current={isAt(location, path) ? "page" : undefined}>
                {title}
              </Link>
            ))}
          </nav>
          <div className="tools">
            <Search />
            <ThemeButton />
            <AccountButton />
          </div>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<p className="soft">Loading the page</p>}>{children}</Suspense>
      </main>
      <footer className="foot">
        <div>
          <span>
            History: <span className="mono break">{indexerUrl}</span>. It is a convenience, and may err: for money and
            decisions this application reads the chain.
          </span>
          <span>
            Chain {String(chainId)}: <span className="mono break">{rpcUrl}</span>
          </span>
          <span>No tracking, no remote assets.</span>
        </div>
      </footer>
    </>
  );
}

function isAt(location: string, path: string): boolean {
  return path === "/" ? location === "/" : location === path || location.startsWith(`${path}/`);
}

function Search() {
  const [text, setText] = useState("");
  const [, go] = useLocation();
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const asked = text.trim();
        if (asked !== "") go(`/search/${encodeURIComponent(asked)}`);
      }}
    >
      <label className="visually-hidden" htmlFor="search">
        Search by id, address or CID
      </label>
      <input
        id="search"
        type="search"
        autoComplete="off"
        spellCheck={false}
        maxLength={128}
        placeholder="id, address, CID"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
    </form>
  );
}
