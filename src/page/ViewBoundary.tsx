/** A view that throws is replaced by a sentence; the rest of the page stays. Another address is another try. */
import { Component, type ComponentChildren } from 'preact';
import { quoteText } from '../core/text.js';

interface Props {
  address: string;
  children: ComponentChildren;
}

export class ViewBoundary extends Component<Props, { error?: Error | undefined }> {
  override componentDidCatch(error: Error): void {
    reportError(error);
    this.setState({ error });
  }

  override componentDidUpdate({ address }: Props): void {
    if (this.state.error && address !== this.props.address) this.setState({ error: undefined });
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    // The first view has an empty fragment.
    const restart = () => {
      location.hash = '';
      this.setState({ error: undefined });
    };
    return (
      <section class="view-failed" role="alert">
        <h2>This view has failed</h2>
        <p>
          The browser says: <code>{quoteText(error.message)}</code>. The other views work.
        </p>
        <button type="button" onClick={restart}>
          Show the first view
        </button>
      </section>
    );
  }
}
