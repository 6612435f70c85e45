/**
 * Who may import whom. Each room names the rooms that it may import; everything else of ours is forbidden to it.
 * `npm run check` enforces it (scripts/check-imports.ts), test/integration/import-rules.test.ts proves that it bites.
 */

const rooms = [
  { name: 'shared', at: '^shared/', may: [] },
  { name: 'policy', at: '^main/policy/', may: ['shared'] },
  { name: 'data', at: '^main/data/', may: ['shared'] },
  { name: 'machine', at: '^main/machine/', may: ['shared'] },
  { name: 'runner', at: '^main/runner/', may: ['policy', 'data', 'shared'] },
  { name: 'workbench', at: '^main/workbench/', may: ['machine', 'data', 'shared'] },
  { name: 'rpc', at: '^main/rpc/', may: ['workbench', 'shared'] },
  // What both shells stand on: pages, guards, menus. The parts that need Electron itself are held apart by a rule below.
  { name: 'shell', at: '^main/shell/', may: ['rpc', 'workbench', 'shared'] },
  { name: 'desktop-shell', at: '^main/desktop\\.ts$', may: ['shell', 'rpc', 'workbench', 'shared'] },
  { name: 'server-shell', at: '^main/server\\.ts$', may: ['shell', 'rpc', 'workbench', 'shared'] },
  {
    name: 'command-shell',
    at: '^main/(cli\\.ts$|commands/)',
    may: ['server-shell', 'rpc', 'workbench', 'runner', 'policy', 'data', 'machine', 'shared'],
  },
  { name: 'preload', at: '^preload/', may: ['shared'] },
  { name: 'renderer', at: '^renderer/', may: ['shared'] },
];

const ours = '^(main|shared|preload|renderer|test|scripts|bin)/';

const roomRules = rooms.map(({ name, at, may }) => ({
  name: `room-${name}`,
  comment: `${name} may import ${may.length === 0 ? 'nothing of ours' : may.join(', ')}`,
  severity: 'error',
  from: { path: at },
  to: { path: ours, pathNot: [at, ...rooms.filter((room) => may.includes(room.name)).map((room) => room.at)] },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'every-file-has-a-room',
      comment: 'a file of main/ outside the rooms would escape the table',
      severity: 'error',
      from: { path: '^main/', pathNot: rooms.map((room) => room.at) },
      to: {},
    },
    {
      name: 'shared-is-pure',
      comment: 'shared/ runs in the window too: no Node built-ins',
      severity: 'error',
      from: { path: '^shared/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'window-has-no-node',
      comment: 'the renderer is sandboxed: no Node built-ins',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'features-stand-alone',
      comment: 'a feature of the window does not import another',
      severity: 'error',
      from: { path: '^renderer/features/([^/]+)/' },
      to: { path: '^renderer/features/', pathNot: '^renderer/features/$1/' },
    },
    {
      name: 'electron-stays-in-its-shell',
      comment: 'only main/desktop.ts, main/shell/ and preload/ import electron',
      severity: 'error',
      from: { pathNot: '^(main/desktop\\.ts$|main/shell/|preload/)' },
      to: { path: '(^|node_modules/)electron($|/)' },
    },
    {
      name: 'no-cycles',
      comment: 'two files that need each other are one file, or lack a third',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'imports-lead-somewhere',
      comment: 'an import that cannot be resolved is not checked by any rule above',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(out|dist|runs)/' },
    tsPreCompilationDeps: true,
    preserveSymlinks: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
