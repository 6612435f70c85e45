/** The view "settings": one section at a time, each with its own address. */
import type { ComponentType } from 'react';
import { hrefOf, usePath } from '../../app/address.ts';
import { About } from './about.tsx';
import { Appearance } from './appearance.tsx';
import { Backends } from './backends.tsx';
import { Folders } from './folders.tsx';
import { Hub } from './hub.tsx';
import { Keys } from './keys.tsx';
import { SecretList } from './secret-list.tsx';
import './settings.css';
import { StorageSection } from './storage-section.tsx';

const SECTIONS: readonly { path: string; title: string; component: ComponentType }[] = [
  { path: 'folders', title: 'Folders', component: Folders },
  { path: 'backends', title: 'Backends', component: Backends },
  { path: 'hub', title: 'Hugging Face', component: Hub },
  { path: 'theme', title: 'Theme', component: Appearance },
  { path: 'keys', title: 'Keys', component: Keys },
  { path: 'storage', title: 'Storage', component: StorageSection },
  { path: 'secrets', title: 'Secrets', component: SecretList },
  { path: 'about', title: 'About', component: About },
];

export default function Settings() {
  const [, path = 'folders'] = usePath();
  const section = SECTIONS.find((one) => one.path === path) ?? SECTIONS[0];
  if (section === undefined) return null;
  const Subject = section.component;
  return (
    <div className="panes">
      <nav className="settings-sections" aria-label="Settings">
        {SECTIONS.map((one) => (
          <a key={one.path} href={hrefOf(['settings', one.path])} aria-current={one === section ? 'page' : undefined}>
            {one.title}
          </a>
        ))}
      </nav>
      <div className="pane-subject">
        <section className="settings-section" aria-labelledby="settings-title">
          <h2 id="settings-title">{section.title}</h2>
          <Subject />
        </section>
      </div>
    </div>
  );
}
