/** Every view of the window: its address, its place in the rail, its key. Views are loaded when they are first opened. */
import { Activity, Boxes, Database, GitCompareArrows, House, type LucideIcon, Server, Settings, SlidersHorizontal } from 'lucide-react';
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

export interface View {
  /** First part of the address, and the name in code. */
  path: string;
  title: string;
  /** Shown below the icon. */
  short: string;
  icon: LucideIcon;
  /** Opened by this digit with Ctrl or ⌘. */
  digit: number;
  component: LazyExoticComponent<ComponentType>;
}

export const VIEWS: readonly View[] = [
  { path: 'home', title: 'Home', short: 'Home', icon: House, digit: 1, component: lazy(() => import('../features/home/home.tsx')) },
  {
    path: 'datasets',
    title: 'Data sets',
    short: 'Data',
    icon: Database,
    digit: 2,
    component: lazy(() => import('../features/datasets/datasets.tsx')),
  },
  {
    path: 'models',
    title: 'Models',
    short: 'Models',
    icon: Boxes,
    digit: 3,
    component: lazy(() => import('../features/models/models.tsx')),
  },
  {
    path: 'new',
    title: 'New run',
    short: 'New',
    icon: SlidersHorizontal,
    digit: 4,
    component: lazy(() => import('../features/configure/configure.tsx')),
  },
  { path: 'runs', title: 'Runs', short: 'Runs', icon: Activity, digit: 5, component: lazy(() => import('../features/runs/runs.tsx')) },
  {
    path: 'compare',
    title: 'Compare',
    short: 'Comp',
    icon: GitCompareArrows,
    digit: 6,
    component: lazy(() => import('../features/compare/compare.tsx')),
  },
  {
    path: 'machines',
    title: 'Machines',
    short: 'Mach',
    icon: Server,
    digit: 7,
    component: lazy(() => import('../features/machines/machines.tsx')),
  },
  {
    path: 'settings',
    title: 'Settings',
    short: 'Settings',
    icon: Settings,
    digit: 8,
    component: lazy(() => import('../features/settings/settings.tsx')),
  },
];
