/** A button that lets the reader choose files. */
import { useRef } from 'preact/hooks';

interface FileButtonProps {
  text: string;
  /** What the files are, for a screen reader. */
  label: string;
  /** Kinds of files: endings and MIME types. */
  accept: string;
  multiple?: boolean;
  onFiles: (files: readonly File[]) => void;
}

export function FileButton({ text, label, accept, multiple = false, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {text}
      </button>
      <input
        ref={input}
        type="file"
        multiple={multiple}
        accept={accept}
        hidden
        aria-label={label}
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          // The same file may be chosen again.
          currentTarget.value = '';
        }}
      />
    </>
  );
}
