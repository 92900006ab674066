import { useId } from 'preact/hooks';

interface Props {
  label: string;
  /** Kinds of files that are offered first, as of `accept`. */
  accept: string;
  disabled?: boolean;
  /** What the visitor is here for: it stands out. */
  isMain?: boolean;
  onFile: (file: File) => void;
}

/** Chooses a file. It is the browser's own input to keyboards and screen readers, and looks like the other buttons. */
export function FileButton({ label, accept, disabled = false, isMain = false, onFile }: Props) {
  const id = useId();
  return (
    <>
      <label class={`button${isMain ? ' main' : ''}`} for={id}>
        {label}
      </label>
      <input
        id={id}
        class="unseen"
        type="file"
        accept={accept}
        disabled={disabled}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
          // The same file can be chosen again.
          event.currentTarget.value = '';
        }}
      />
    </>
  );
}
