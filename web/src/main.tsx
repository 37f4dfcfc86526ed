import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import "./styles/base.css";
import "./styles/layout.css";
import { App } from "./app.tsx";
import { loadConfig } from "./config.ts";
import { Failure } from "./ui/failure.tsx";

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no element #root.");
const root = createRoot(place);

// A page that is framed could be made to be clicked without being seen. Servers forbid it by a header; a copy by CID has none.
if (window.top !== window.self) {
  root.render(
    <Failure title="This page is shown inside another page" error="Open it by itself: in a frame it shows nothing." />,
  );
} else {
  try {
    const config = await loadConfig();
    root.render(
      <StrictMode>
        <App config={config} />
      </StrictMode>,
    );
  } catch (error) {
    root.render(<Failure title="This copy of the application is not configured" error={error} />);
  }
}
