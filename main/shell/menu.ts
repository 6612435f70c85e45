/** The application menu, as a plain template: the platform's own order and keys, and our views. */
import type { MenuItemConstructorOptions } from 'electron';

export interface MenuActions {
  /** Shows an address of the window: `#/new`. */
  show(address: string): void;
  openRunsFolder(): void;
}

const VIEWS: readonly [label: string, address: string, digit: number][] = [
  ['Home', '#/home', 1],
  ['Data Sets', '#/datasets', 2],
  ['Models', '#/models', 3],
  ['New Run', '#/new', 4],
  ['Runs', '#/runs', 5],
  ['Compare', '#/compare', 6],
];

/** The template for `Menu.buildFromTemplate`. */
export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): MenuItemConstructorOptions[] {
  const mac = platform === 'darwin';
  const settings: MenuItemConstructorOptions = { label: 'Settings…', accelerator: 'CmdOrCtrl+,', click: () => actions.show('#/settings') };
  return [
    ...(mac
      ? [
          {
            role: 'appMenu',
            submenu: [
              { role: 'about' },
              { type: 'separator' },
              settings,
              { type: 'separator' },
              { role: 'services' },
              { type: 'separator' },
              { role: 'hide' },
              { role: 'hideOthers' },
              { role: 'unhide' },
              { type: 'separator' },
              { role: 'quit' },
            ],
          } satisfies MenuItemConstructorOptions,
        ]
      : []),
    {
      label: 'File',
      submenu: [
        { label: 'New Run', accelerator: 'CmdOrCtrl+N', click: () => actions.show('#/new') },
        { label: 'Open Runs Folder', click: () => actions.openRunsFolder() },
        ...(mac ? [] : [{ type: 'separator' } as const, settings]),
        { type: 'separator' },
        mac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        ...VIEWS.map(([label, address, digit]) => ({ label, accelerator: `CmdOrCtrl+${digit}`, click: () => actions.show(address) })),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
  ];
}
