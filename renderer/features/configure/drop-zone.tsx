/** The whole view takes a config file that is dropped on it. */
import { type DragEvent, type ReactNode, useState } from 'react';

export function DropZone({ take, children }: { take: (file: File) => void; children: ReactNode }) {
  const [over, setOver] = useState(false);
  const holdsFile = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button "Import" does the same by keys
    <div
      className="configure"
      data-over={over || undefined}
      onDragOver={(event) => {
        if (!holdsFile(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (event.currentTarget === event.target) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        const file = event.dataTransfer.files[0];
        if (file === undefined) return;
        event.preventDefault();
        take(file);
      }}
    >
      {over ? <div className="configure-drop">Drop a config file (JSON) to import it</div> : null}
      {children}
    </div>
  );
}
