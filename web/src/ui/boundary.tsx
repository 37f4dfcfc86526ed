import { Component, type ReactNode } from "react";

import { Failure } from "./failure.tsx";

/** Shows an error of a page in its place; all around it stays. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidMount(): void {
    window.addEventListener("hashchange", this.#reset);
  }

  override componentWillUnmount(): void {
    window.removeEventListener("hashchange", this.#reset);
  }

  readonly #reset = () => {
    if (this.state.error !== undefined) this.setState({ error: undefined });
  };

  override render(): ReactNode {
    return this.state.error === undefined ? (
      this.props.children
    ) : (
      <Failure title="This page failed" error={this.state.error} onRetry={this.#reset} />
    );
  }
}
